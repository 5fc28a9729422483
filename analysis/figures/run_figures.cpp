#include "analysis/figures/run_figures.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kLongestName = 28;  // characters of an arm's name that a legend has room for

// Grows to hold what a panel shows, then leaves a margin of `share` of its length.
struct Range {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void on(Axis& axis, double share) const {
    if (low > high) return;
    if (axis.scale == AxisScale::kLog) {
      const double factor = std::pow(std::max(high / low, 1.05), share);
      axis.low = low / factor;
      axis.high = high * factor;
    } else {
      const double margin = share * std::max(high - low, 1e-9);
      axis.low = low - margin;
      axis.high = high + margin;
    }
  }
};

std::string size_label(NCount n_count) {
  return "N, parameters (" + std::string(name(n_count)) + ")";
}

std::string loss_label(const LawOptions& options) {
  return "test loss, " + std::string(unit(options.selection.metric));
}

ColourScale sizes_as_colours(const RunTable& table, NCount n_count) {
  Range range;
  for (const RunRow& row : table.rows) range.add(row.n(n_count));
  return {size_label(n_count), range.low, std::max(range.high, range.low * 1.01)};
}

// From nats per token to the metric in use; one factor a run, because its text is fixed.
double metric_factor(const RunRow& row, const Selection& selection) {
  return row.loss(selection.test_set, selection.metric) /
         row.record.test.at(selection.test_set).loss_nats;
}

void set_common_ranges(Figure& figure, const Range& x, const Range& y, double x_share,
                       double y_share) {
  for (Panel& panel : figure.panels) {
    x.on(panel.x, x_share);
    y.on(panel.y, y_share);
  }
}

// The two panels of the law figure while they grow.
struct LawPanels {
  Panel laws, residuals;
  Range n, loss, residual_percent;
};

void add_runs(const RunTable& table, const ArmLaws& arm, int colour, const Selection& selection,
              LawPanels& panels) {
  const bool has_line = arm.power.status == FitStatus::kConverged;
  Series points, residuals;
  points.mark = Mark::kErrorBars;
  residuals.mark = Mark::kPoints;
  points.colour = residuals.colour = colour;
  points.label = has_line ? "" : shortened(arm.arm, kLongestName);
  for (const SizeCell& cell : arm.cells) {
    for (const std::size_t i : cell.rows) {
      const double loss = table.rows[i].loss(selection.test_set, selection.metric);
      const double error = table.rows[i].loss_standard_error(selection.test_set, selection.metric);
      points.x.push_back(cell.n);
      points.y.push_back(loss);
      points.low.push_back(loss - error);
      points.high.push_back(loss + error);
      panels.n.add(cell.n);
      panels.loss.add(loss - error);
      panels.loss.add(loss + error);
      if (!has_line) continue;
      residuals.x.push_back(cell.n);
      residuals.y.push_back(100 * (loss / std::exp(arm.power.ln_loss_at(cell.n)) - 1));
      panels.residual_percent.add(residuals.y.back());
    }
  }
  panels.laws.series.push_back(std::move(points));
  panels.residuals.series.push_back(std::move(residuals));
}

void add_line(const ArmLaws& arm, int colour, double level, LawPanels& panels) {
  const PowerLawFit& power = arm.power;
  if (power.status != FitStatus::kConverged) return;
  Series band, line;
  band.mark = Mark::kBand;
  band.colour = line.colour = colour;
  line.label = shortened(arm.arm, kLongestName) + ": slope " + fixed(power.slope, 3) + " " +
               interval_text(power.slope_interval.low, power.slope_interval.high, 3);
  const double t = student_t_quantile(0.5 + 0.5 * level, power.df);
  for (int i = 0; i <= 60; ++i) {
    const double n =
        arm.cells.front().n * std::pow(arm.cells.back().n / arm.cells.front().n, i / 60.0);
    const double reach = t * power.standard_error_at(n);
    line.x.push_back(n);
    line.y.push_back(std::exp(power.ln_loss_at(n)));
    band.x.push_back(n);
    band.low.push_back(std::exp(power.ln_loss_at(n) - reach));
    band.high.push_back(std::exp(power.ln_loss_at(n) + reach));
    panels.loss.add(band.low.back());
    panels.loss.add(band.high.back());
  }
  panels.laws.series.push_back(std::move(band));
  panels.laws.series.push_back(std::move(line));
}

// Loss by position of one run.
Series position_line(const RunRow& row, const Selection& selection, Range& x, Range& y) {
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

// Test loss against tokens seen, up to the final evaluation.
Series learning_curve(const RunRow& row, const Selection& selection) {
  Series line;
  const auto add = [&](double tokens, double loss) {
    if (!(tokens >= 1 && loss > 0)) return;
    line.x.push_back(tokens);
    line.y.push_back(loss);
  };
  const double factor = metric_factor(row, selection);
  for (const MetricsRow& metrics : read_metrics(row.folder)) {
    const auto loss = metrics.test_loss_nats.find(selection.test_set);
    if (loss == metrics.test_loss_nats.end() || metrics.train_tokens >= row.record.train_tokens) {
      continue;
    }
    add(static_cast<double>(metrics.train_tokens), loss->second * factor);
  }
  add(row.d_tokens(), row.loss(selection.test_set, selection.metric));
  return line;
}

}  // namespace

Figure learning_curves(const RunTable& table, const LawOptions& options,
                       std::vector<std::string>& warnings) {
  const Selection& selection = options.selection;
  Figure figure;
  figure.id = "learning_curves";
  figure.title = "Learning curves";
  figure.caption =
      "Test loss while training, one line a run, coloured by its size N. The last point is the "
      "final "
      "evaluation, which the laws are fitted to; those before it read a few thousand tokens only "
      "and so wobble more. Both axes are logarithmic.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  Range x, y;
  for (const std::string& arm : table.arms()) {
    Panel panel;
    panel.title = shortened(arm, kLongestName);
    panel.x = {"training tokens", AxisScale::kLog, 1, 10, true};
    panel.y = {figure.panels.empty() ? loss_label(options) : "", AxisScale::kLog, 1, 10, false};
    panel.legend = false;
    for (const RunRow& row : table.rows) {
      if (row.arm != arm) continue;
      Series line;
      try {
        line = learning_curve(row, selection);
      } catch (const std::runtime_error& error) {
        warnings.push_back("no learning curve of " + row.folder_name + ": " + error.what());
        continue;
      }
      line.scale_value = row.n(selection.n_count);
      for (const double tokens : line.x) x.add(tokens);
      for (const double loss : line.y) y.add(loss);
      panel.series.push_back(std::move(line));
    }
    figure.panels.push_back(std::move(panel));
  }
  figure.columns = static_cast<int>(std::min<std::size_t>(figure.panels.size(), 2));
  if (figure.panels.size() > 2) figure.height_px = 760;
  set_common_ranges(figure, x, y, 0.03, 0.04);
  return figure;
}

Figure law_figure(const RunTable& table, const std::vector<ArmLaws>& laws,
                  const LawOptions& options) {
  const Selection& selection = options.selection;
  Figure figure;
  figure.id = "laws";
  figure.title = "Loss against size";
  figure.width_px = 860;
  figure.height_px = 640;
  LawPanels panels;
  Panel &top = panels.laws, &bottom = panels.residuals;
  top.title = "Loss against N at D = " + human(*selection.train_tokens) + " tokens";
  top.x = bottom.x = {size_label(selection.n_count), AxisScale::kLog, 1, 10, true};
  top.y = {loss_label(options), AxisScale::kLog, 1, 10, false};
  top.height_share = 2.6;
  bottom.y = {"loss over line, %", AxisScale::kLinear, -1, 1, false};
  bottom.legend = false;
  panels.residual_percent.add(-0.5);
  panels.residual_percent.add(0.5);
  for (std::size_t k = 0; k < laws.size(); ++k) {
    add_line(laws[k], static_cast<int>(k), options.level, panels);
    add_runs(table, laws[k], static_cast<int>(k), selection, panels);
  }
  panels.n.on(top.x, 0.05);
  panels.n.on(bottom.x, 0.05);
  panels.loss.on(top.y, 0.05);
  panels.residual_percent.on(bottom.y, 0.1);
  Series zero;
  zero.colour = kInk;
  zero.x = {bottom.x.low, bottom.x.high};
  zero.y = {0, 0};
  bottom.series.push_back(zero);
  figure.panels = {top, bottom};
  figure.caption =
      "Final test loss of every run (bars: one standard error over the test text, mostly smaller "
      "than the point) and the fitted power law of each arm with its " +
      fixed(100 * options.level, 0) +
      "% band. Below: how far each run lies from its arm's line; a bow there means that a straight "
      "line is only an average. The lines end where the data end.";
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
      "standard error over windows. A panel an arm: one line a size, coloured by N. The last "
      "panel: the largest run of each arm. A line that keeps falling to the right still gains from "
      "more context.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  figure.width_px = 1000;
  Range x, y;
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
      Series line = position_line(table.rows[cell.rows.front()], selection, x, y);
      line.scale_value = cell.n;
      add_with_bars(panel, std::move(line));
    }
    figure.panels.push_back(std::move(panel));
    const SizeCell& top = laws[k].cells.back();
    Series line = position_line(table.rows[top.rows.front()], selection, x, y);
    line.colour = static_cast<int>(k);
    line.label = shortened(laws[k].arm, 14) + " " + human(top.n);
    add_with_bars(largest, std::move(line));
  }
  largest.legend = true;
  figure.panels.push_back(std::move(largest));
  figure.columns = static_cast<int>(std::min<std::size_t>(figure.panels.size(), 3));
  figure.height_px = figure.panels.size() > 3 ? 760 : 420;
  figure.panels.front().y.label = loss_label(options);
  set_common_ranges(figure, x, y, 0.03, 0.04);
  return figure;
}

}  // namespace scalelaw
