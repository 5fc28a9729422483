#include "analysis/figures/run_figures.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "analysis/figures/axis_range.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Of all curves of a figure together: what a page still draws and carries with ease.
constexpr std::size_t kMostCurvePoints = 60'000;

ColourScale sizes_as_colours(const RunTable& table, NCount n_count) {
  AxisRange range;
  for (const RunRow& row : table.rows) range.add(row.n(n_count));
  return {size_label(n_count), range.low, std::max(range.high, range.low * 1.01)};
}

// From nats per token to the metric in use; one factor a run, because its text is fixed.
double metric_factor(const RunRow& row, const Selection& selection) {
  return row.loss(selection.test_set, selection.metric) /
         row.record.test.at(selection.test_set).loss_nats;
}

void set_common_ranges(Figure& figure, const AxisRange& x, const AxisRange& y, double x_share,
                       double y_share) {
  for (Panel& panel : figure.panels) {
    x.on(panel.x, x_share);
    y.on(panel.y, y_share);
  }
}

// Loss by position of one run.
Series position_line(const RunRow& row, const Selection& selection, AxisRange& x, AxisRange& y) {
  Series line;
  const double factor = metric_factor(row, selection);
  for (const PositionBin& bin : row.record.test.at(selection.test_set).by_position) {
    // Positions are counted from 0; a log axis starts at 1, the middle is geometric.
    const double position =
        std::sqrt((static_cast<double>(bin.first) + 1) * (static_cast<double>(bin.last) + 1));
    line.x.push_back(position);
    line.y.push_back(bin.loss_nats * factor);
    line.low.push_back((bin.loss_nats - bin.standard_error_nats) * factor);
    line.high.push_back((bin.loss_nats + bin.standard_error_nats) * factor);
    x.add(position);
    y.add(line.low.back());
    y.add(line.high.back());
  }
  return line;
}

// A line through the points, and the points with their bars.
void add_with_bars(Panel& panel, Series line) {
  line.mark = Mark::kLine;
  panel.series.push_back(line);
  line.mark = Mark::kErrorBars;
  line.label.clear();
  panel.series.push_back(std::move(line));
}

// Test loss against tokens seen, as evaluated while training.
Series learning_curve(const RunRow& row, const Selection& selection) {
  Series line;
  const auto add = [&](double tokens, double loss) {
    if (!(tokens >= 1 && loss > 0)) return;
    line.x.push_back(tokens);
    line.y.push_back(loss);
  };
  if (row.tabled) {
    for (const TabledRun::Point& point : row.tabled->curve) add(point.d_tokens, point.loss);
    return line;
  }
  const double factor = metric_factor(row, selection);
  for (const MetricsRow& metrics : read_metrics(row.folder)) {
    const auto loss = metrics.test_loss_nats.find(selection.test_set);
    if (loss == metrics.test_loss_nats.end() || metrics.train_tokens >= row.record.train_tokens) {
      continue;
    }
    add(static_cast<double>(metrics.train_tokens), loss->second * factor);
  }
  return line;
}

// Of a curve of more points than `most` (at least 2) those nearest to even steps in ln x, its ends
// among them.
void thin(Series& line, std::size_t most) {
  const std::size_t all = line.x.size();
  most = std::max<std::size_t>(most, 2);
  if (all <= most) return;
  Series kept = line;
  kept.x.clear();
  kept.y.clear();
  const double step = std::log(line.x.back() / line.x.front()) / static_cast<double>(most - 1);
  double next = std::log(line.x.front());
  for (std::size_t i = 0; i < all; ++i) {
    if (std::log(line.x[i]) < next - 1e-9 && i + 1 < all) continue;
    kept.x.push_back(line.x[i]);
    kept.y.push_back(line.y[i]);
    while (next <= std::log(line.x[i]) + 1e-9) next += step;
  }
  line = std::move(kept);
}

// The final evaluation, apart from the curve: it reads more of the text, and other parts of it are
// harder or easier for every run alike.
Series final_point(const RunRow& row, const Selection& selection) {
  Series point;
  point.mark = Mark::kHollowPoints;
  point.x = {row.d_tokens()};
  point.y = {row.loss(selection.test_set, selection.metric)};
  return point;
}

}  // namespace

Figure learning_curves(const RunTable& table, const LawOptions& options,
                       std::vector<std::string>& warnings) {
  const Selection& selection = options.selection;
  Figure figure;
  figure.id = "learning_curves";
  figure.title = "Learning curves";
  figure.caption =
      "Test loss while training, one line a run, coloured by its size N; both axes are "
      "logarithmic, and of long curves evenly spread points are drawn. "
      "The ring at the end is the final evaluation, which the laws are fitted to. It stands apart "
      "because it is of other, larger text: while training a small part of the test set is read, "
      "at "
      "the end all of it, which may be easier or harder for all runs alike. Do not read the "
      "step from line to ring as training.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  AxisRange x, y;
  for (const std::string& arm : table.arms()) {
    Panel panel;
    panel.title = shortened(arm, kLongestName);
    panel.x = {"training tokens", AxisScale::kLog, 1, 10, true};
    panel.y = {figure.panels.empty() ? loss_label(selection) : "", AxisScale::kLog, 1, 10, false};
    panel.legend = false;
    std::vector<Series> ends;
    for (const RunRow& row : table.rows) {
      if (row.arm != arm) continue;
      Series line, end = final_point(row, selection);
      try {
        line = learning_curve(row, selection);
      } catch (const std::runtime_error& error) {
        warnings.push_back("no learning curve of " + row.folder_name + ": " + error.what());
        continue;
      }
      thin(line, kMostCurvePoints / table.rows.size());
      for (Series* series : {&line, &end}) {
        series->scale_value = row.n(selection.n_count);
        series->names = {run_name(row, selection.n_count)};
        for (const double tokens : series->x) x.add(tokens);
        for (const double loss : series->y) y.add(loss);
      }
      panel.series.push_back(std::move(line));
      ends.push_back(std::move(end));
    }
    std::move(ends.begin(), ends.end(), std::back_inserter(panel.series));  // over all lines
    figure.panels.push_back(std::move(panel));
  }
  figure.columns = static_cast<int>(std::min<std::size_t>(figure.panels.size(), 2));
  if (figure.panels.size() > 2) figure.height_px = 760;
  set_common_ranges(figure, x, y, 0.03, 0.04);
  return figure;
}

Figure loss_by_position(const RunTable& table, const std::vector<ArmLaws>& laws,
                        const LawOptions& options) {
  const Selection& selection = options.selection;
  Figure figure;
  figure.id = "loss_by_position";
  figure.title = "Loss by position";
  figure.caption =
      "Final test loss by position in the context window, averaged in logarithmic bins; bars are "
      "one "
      "standard error over windows, taken for independent (too small). A panel an arm: one line a "
      "size, coloured by N. The last "
      "panel: the largest run of each arm. A line that keeps falling to the right still gains from "
      "more context.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  figure.width_px = 1000;
  AxisRange x, y;
  const auto new_panel = [&](const std::string& title) {
    Panel panel;
    panel.title = title;
    panel.x = {"position in the window, tokens", AxisScale::kLog, 1, 10, false};
    panel.y = {"", AxisScale::kLinear, 1, 10, false};
    panel.legend = false;
    return panel;
  };
  Panel largest = new_panel("largest of each arm");
  for (std::size_t k = 0; k < laws.size(); ++k) {
    Panel panel = new_panel(shortened(laws[k].arm, kLongestName));
    for (const SizeCell& cell : laws[k].cells) {
      const RunRow& row = table.rows[cell.rows.front()];
      Series line = position_line(row, selection, x, y);
      line.scale_value = cell.n;
      line.names = {run_name(row, selection.n_count)};
      add_with_bars(panel, std::move(line));
    }
    figure.panels.push_back(std::move(panel));
    const SizeCell& top = laws[k].cells.back();
    Series line = position_line(table.rows[top.rows.front()], selection, x, y);
    line.colour = static_cast<int>(k);
    line.names = {run_name(table.rows[top.rows.front()], selection.n_count)};
    line.label = shortened(laws[k].arm, 14) + " " + human(top.n);
    add_with_bars(largest, std::move(line));
  }
  largest.legend = true;
  figure.panels.push_back(std::move(largest));
  figure.columns = static_cast<int>(std::min<std::size_t>(figure.panels.size(), 3));
  figure.height_px = figure.panels.size() > 3 ? 760 : 420;
  figure.panels.front().y.label = loss_label(selection);
  set_common_ranges(figure, x, y, 0.03, 0.04);
  return figure;
}

}  // namespace scalelaw
