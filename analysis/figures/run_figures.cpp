#include "analysis/figures/run_figures.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

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

}  // namespace

Figure learning_curves(const RunTable& table, const LawOptions& options,
                       std::vector<std::string>& warnings) {
  const Selection& selection = options.selection;
  Figure figure;
  figure.id = "learning_curves";
  figure.title = "Learning curves";
  figure.caption =
      "Test loss while training, one line a run, coloured by its size N. Each point is an "
      "evaluation "
      "on the same few thousand tokens, so a line wobbles more than the final loss that the laws "
      "are fitted to. Both axes are logarithmic.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  Range x, y;
  for (const std::string& arm : table.arms()) {
    Panel panel;
    panel.title = arm;
    panel.x = {"training tokens", AxisScale::kLog, 1, 10, true};
    panel.y = {figure.panels.empty() ? loss_label(options) : "", AxisScale::kLog, 1, 10, false};
    panel.legend = false;
    for (const RunRow& row : table.rows) {
      if (row.arm != arm) continue;
      Series line;
      line.scale_value = row.n(selection.n_count);
      try {
        for (const MetricsRow& metrics : read_metrics(row.folder)) {
          const auto loss = metrics.test_loss_nats.find(selection.test_set);
          if (loss == metrics.test_loss_nats.end() || metrics.train_tokens < 1 ||
              !(loss->second > 0)) {
            continue;
          }
          line.x.push_back(static_cast<double>(metrics.train_tokens));
          line.y.push_back(loss->second * metric_factor(row, selection));
          x.add(line.x.back());
          y.add(line.y.back());
        }
      } catch (const std::runtime_error& error) {
        warnings.push_back("no learning curve of " + row.folder_name + ": " + error.what());
        continue;
      }
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
  Panel top, bottom;
  top.x = bottom.x = {size_label(selection.n_count), AxisScale::kLog, 1, 10, true};
  top.y = {loss_label(options), AxisScale::kLog, 1, 10, false};
  bottom.y = {"loss over line, %", AxisScale::kLinear, -1, 1, false};
  top.title = "Loss against N at D = " + human(*selection.train_tokens) + " tokens";
  top.height_share = 2.6;
  bottom.legend = false;
  Range x, y, r;
  r.add(-0.5);
  r.add(0.5);
  for (std::size_t k = 0; k < laws.size(); ++k) {
    const ArmLaws& arm = laws[k];
    const int colour = static_cast<int>(k);
    Series points{"", Mark::kErrorBars, colour, {}, {}, {}, {}, {}}, residuals = points;
    const bool line_fits = arm.power.status == FitStatus::kConverged;
    points.label = line_fits ? "" : arm.arm;
    for (const SizeCell& cell : arm.cells) {
      for (const std::size_t i : cell.rows) {
        const double loss = table.rows[i].loss(selection.test_set, selection.metric);
        const double error =
            table.rows[i].loss_standard_error(selection.test_set, selection.metric);
        points.x.push_back(cell.n);
        points.y.push_back(loss);
        points.low.push_back(loss - error);
        points.high.push_back(loss + error);
        x.add(cell.n);
        y.add(loss - error);
        y.add(loss + error);
        if (!line_fits) continue;
        const double line = std::exp(arm.power.ln_loss_at(cell.n));
        residuals.x.push_back(cell.n);
        residuals.y.push_back(100 * (loss / line - 1));
        residuals.low.push_back(residuals.y.back());
        residuals.high.push_back(residuals.y.back());
        r.add(residuals.y.back());
      }
    }
    residuals.mark = Mark::kPoints;
    if (line_fits) {
      Series band{"", Mark::kBand, colour, {}, {}, {}, {}, {}};
      Series line{arm.arm + ": slope " + fixed(arm.power.slope, 3) + " " +
                      interval_text(arm.power.slope_interval.low, arm.power.slope_interval.high, 3),
                  Mark::kLine,
                  colour,
                  {},
                  {},
                  {},
                  {},
                  {}};
      const double t = student_t_quantile(0.5 + 0.5 * options.level, arm.power.df);
      for (int i = 0; i <= 60; ++i) {
        const double n =
            arm.cells.front().n * std::pow(arm.cells.back().n / arm.cells.front().n, i / 60.0);
        const double ln_loss = arm.power.ln_loss_at(n);
        const double reach = t * arm.power.standard_error_at(n);
        line.x.push_back(n);
        line.y.push_back(std::exp(ln_loss));
        band.x.push_back(n);
        band.low.push_back(std::exp(ln_loss - reach));
        band.high.push_back(std::exp(ln_loss + reach));
        y.add(band.low.back());
        y.add(band.high.back());
      }
      top.series.push_back(std::move(band));
      top.series.push_back(std::move(line));
      bottom.series.push_back(std::move(residuals));
    }
    top.series.push_back(std::move(points));
  }
  x.on(top.x, 0.05);
  x.on(bottom.x, 0.05);
  y.on(top.y, 0.05);
  r.on(bottom.y, 0.1);
  Series zero{"", Mark::kLine, kInk, {}, {bottom.x.low, bottom.x.high}, {0, 0}, {}, {}};
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
      "standard error over windows. Left: one line a size, coloured by N. Right: the largest run "
      "of each arm. A line that keeps falling to the right still gains from more context.";
  figure.colours = sizes_as_colours(table, selection.n_count);
  figure.width_px = 1000;
  figure.height_px = 420;
  Range x, y;
  const auto line_of = [&](const RunRow& row) {
    Series line;
    line.mark = Mark::kErrorBars;
    const double factor = metric_factor(row, selection);
    for (const PositionBin& bin : row.record.test.at(selection.test_set).by_position) {
      // Positions are counted from 0; a log axis starts at 1, the middle is geometric.
      const double position = std::sqrt((bin.first + 1.0) * (bin.last + 1.0));
      line.x.push_back(position);
      line.y.push_back(bin.loss_nats * factor);
      line.low.push_back((bin.loss_nats - bin.standard_error_nats) * factor);
      line.high.push_back((bin.loss_nats + bin.standard_error_nats) * factor);
      x.add(position);
      y.add(line.low.back());
      y.add(line.high.back());
    }
    return line;
  };
  const auto new_panel = [&](const std::string& title) {
    Panel panel;
    panel.title = title;
    panel.x = {"position in the window, tokens", AxisScale::kLog, 1, 10, false};
    panel.y = {figure.panels.empty() ? loss_label(options) : "", AxisScale::kLinear, 1, 10, false};
    panel.legend = false;
    return panel;
  };
  Panel largest = new_panel("largest of each arm");
  for (std::size_t k = 0; k < laws.size(); ++k) {
    Panel panel = new_panel(laws[k].arm);
    for (const SizeCell& cell : laws[k].cells) {
      Series line = line_of(table.rows[cell.rows.front()]);
      line.scale_value = cell.n;
      line.mark = Mark::kLine;
      panel.series.push_back(line);
      line.mark = Mark::kErrorBars;
      panel.series.push_back(line);
    }
    figure.panels.push_back(std::move(panel));
    Series line = line_of(table.rows[laws[k].cells.back().rows.front()]);
    line.colour = static_cast<int>(k);
    line.label = laws[k].arm + " " + human(laws[k].cells.back().n);
    line.mark = Mark::kLine;
    largest.series.push_back(line);
    line.label.clear();
    line.mark = Mark::kErrorBars;
    largest.series.push_back(line);
  }
  largest.legend = true;
  largest.y.label.clear();
  figure.panels.push_back(std::move(largest));
  figure.columns = static_cast<int>(std::min<std::size_t>(figure.panels.size(), 3));
  set_common_ranges(figure, x, y, 0.03, 0.04);
  return figure;
}

}  // namespace scalelaw
