#include "analysis/figures/xy_figure.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis/figures/axis_range.h"
#include "analysis/number_text.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"

namespace scalelaw {
namespace {

using Facts = nlohmann::ordered_json;  // of one run, by column

// Columns that hold a number for some run.
std::vector<std::string> columns_of_numbers(const std::vector<Facts>& runs) {
  std::vector<std::string> names;
  for (const Facts& run : runs) {
    for (const auto& [name, value] : run.items()) {
      if (value.is_number() && std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

void require_column(const std::string& name, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  throw ConfigError("--xy " + escaped(name) + ": no column of numbers of the runs table" +
                    nearest_or_all(name, known));
}

bool is_count(const std::string& column) {
  return column.starts_with("n_") || column.ends_with("_tokens") ||
         column.starts_with("training_flops");
}

Axis axis_of(const std::string& column, const AxisRange& range) {
  Axis axis{column, AxisScale::kLinear, 0, 1, is_count(column)};
  std::replace(axis.label.begin(), axis.label.end(), '_', ' ');
  if (range.low > 0 && range.high >= 2 * range.low) axis.scale = AxisScale::kLog;
  AxisRange shown = range;
  if (shown.low == shown.high) {  // one value: room on both sides
    const double room = shown.low == 0 ? 1 : 0.1 * std::abs(shown.low);
    shown.add(shown.low - room);
    shown.add(shown.high + room);
  }
  shown.on(axis, 0.05);
  return axis;
}

Series points_of(const std::string& label, int colour) {
  Series points;
  points.mark = Mark::kPoints;
  points.label = shortened(label, kLongestName);
  points.colour = colour;
  return points;
}

}  // namespace

XyColumns xy_columns(const std::string& text) {
  const std::size_t comma = text.find(',');
  XyColumns columns;
  if (comma != std::string::npos) columns = {text.substr(0, comma), text.substr(comma + 1)};
  if (columns.x.empty() || columns.y.empty() || columns.y.find(',') != std::string::npos) {
    throw ConfigError("--xy " + escaped(text) +
                      ": must be two columns of the runs table, as in --xy "
                      "n_non_embedding,loss_nats");
  }
  return columns;
}

Figure xy_figure(const RunTable& table, const Selection& selection, const XyColumns& columns,
                 std::vector<std::string>& warnings) {
  const std::vector<Facts> runs = Facts::parse(runs_json(table, selection));
  const std::vector<std::string> known = columns_of_numbers(runs);
  require_column(columns.x, known);
  require_column(columns.y, known);
  const std::vector<std::string> arms = table.arms();
  const bool by_arm = arms.size() > 1;
  Panel panel;
  AxisRange x, y, n;
  std::size_t lacking = 0;
  if (by_arm) {
    for (std::size_t k = 0; k < arms.size(); ++k) {
      panel.series.push_back(points_of(arms[k], static_cast<int>(k)));
    }
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const RunRow& row = table.rows[i];
    const Facts &of_x = runs[i].at(columns.x), &of_y = runs[i].at(columns.y);
    if (!of_x.is_number() || !of_y.is_number()) {
      ++lacking;
      continue;
    }
    std::size_t into = panel.series.size();
    if (by_arm) {
      into = static_cast<std::size_t>(std::find(arms.begin(), arms.end(), row.arm) - arms.begin());
    } else {
      panel.series.push_back(points_of("", 0));
      panel.series.back().scale_value = row.n(selection.n_count);
    }
    Series& points = panel.series[into];
    points.x.push_back(of_x.get<double>());
    points.y.push_back(of_y.get<double>());
    points.names.push_back(run_name(row, selection.n_count));
    x.add(points.x.back());
    y.add(points.y.back());
    n.add(row.n(selection.n_count));
  }
  if (lacking == table.rows.size()) {
    throw ConfigError("--xy " + columns.x + "," + columns.y + ": no run has both numbers");
  }
  if (lacking > 0) {
    warnings.push_back(std::to_string(lacking) + " of " + std::to_string(table.rows.size()) +
                       " runs lack " + columns.x + " or " + columns.y + " and are not drawn");
  }
  panel.title = columns.y + " against " + columns.x;
  panel.x = axis_of(columns.x, x);
  panel.y = axis_of(columns.y, y);
  panel.legend = by_arm;
  Figure figure;
  figure.id = columns.y + "_against_" + columns.x;
  figure.title = panel.title;
  if (!by_arm) {
    figure.colours = {size_label(selection.n_count), n.low, std::max(n.high, n.low * 1.01)};
  }
  figure.caption = "A point a run; test set " + selection.test_set + ".";
  figure.panels = {std::move(panel)};
  return figure;
}

}  // namespace scalelaw
