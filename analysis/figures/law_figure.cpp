#include <cmath>

#include "analysis/figures/axis_range.h"
#include "analysis/figures/run_figures.h"
#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// The two panels of the law figure while they grow.
struct LawPanels {
  Panel laws, residuals;
  AxisRange n, loss, residual_percent;
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
      points.names.push_back(run_name(table.rows[i], selection.n_count));
      panels.n.add(cell.n);
      panels.loss.add(loss - error);
      panels.loss.add(loss + error);
      if (!has_line) continue;
      residuals.x.push_back(cell.n);
      residuals.y.push_back(100 * (loss / std::exp(arm.power.ln_loss_at(cell.n)) - 1));
      residuals.names.push_back(points.names.back());
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
  line.names = {"fitted line of " + shortened(arm.arm, kLongestName)};
  const double t = student_t_quantile(0.5 + 0.5 * level, power.interval_df);
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

}  // namespace

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
  top.title = "Loss against N at " + selection.horizon;
  top.x = bottom.x = {size_label(selection.n_count), AxisScale::kLog, 1, 10, true};
  top.y = {loss_label(selection), AxisScale::kLog, 1, 10, false};
  top.height_share = 2.6;
  top.legend_place = LegendPlace::kBottomLeft;  // loss falls with N, so that corner is free
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
      "Final test loss of every run and the fitted power law of each arm with the " +
      level_text(options.level) + " band of the line. " +
      (table.tabled ? ""
                    : "Bars: one standard error over blocks of the test text; all runs read the "
                      "same text, so the bars of all would move together. ") +
      "Below: how far each run lies from its "
      "arm's line; a bow there means that a straight "
      "line is only an average. The lines end where the data end.";
  return figure;
}

}  // namespace scalelaw
