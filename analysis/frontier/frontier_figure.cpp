#include "analysis/frontier/frontier_figure.h"

#include <cmath>

#include "analysis/figures/axis_range.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kCurvePlaces = 60;
constexpr int kBoundColour = 5;  // a line has it only beside an envelope

// Points, parabola and minimum of one budget.
void add_isoflop(const IsoFlop& budget, Panel& panel, AxisRange& n, AxisRange& loss) {
  Series points, curve;
  points.mark = Mark::kErrorBars;
  points.scale_value = curve.scale_value = budget.budget;
  for (const FrontierPoint& p : budget.points) {
    points.x.push_back(p.n);
    points.y.push_back(p.loss);
    points.low.push_back(p.loss);
    points.high.push_back(p.loss);
    n.add(p.n);
    loss.add(p.loss);
  }
  for (int i = 0; i <= kCurvePlaces; ++i) {
    const double ln =
        budget.ln_n.front() + (budget.ln_n.back() - budget.ln_n.front()) * i / kCurvePlaces;
    curve.x.push_back(std::exp(ln));
    curve.y.push_back(budget.parabola_at(ln));
  }
  panel.series.push_back(std::move(curve));
  panel.series.push_back(std::move(points));
}

void add_minimum(const IsoFlop& budget, Series& minima, Series& bounds) {
  const MinimumStatus status = budget.parabola.status;
  if (status == MinimumStatus::kNone || status == MinimumStatus::kTooFewSizes) return;
  Series& to = status == MinimumStatus::kInside ? minima : bounds;
  to.x.push_back(std::exp(budget.parabola.ln_n));
  to.y.push_back(budget.parabola.loss);
}

Panel isoflop_panel(const Frontier& f) {
  Panel panel;
  panel.title = "Loss of runs of equal compute";
  panel.x = {"N, parameters", AxisScale::kLog, 1, 10, true};
  panel.y = {"loss L", AxisScale::kLinear, 0, 1, false};
  panel.legend_place = LegendPlace::kTopRight;
  AxisRange n, loss;
  Series minima, bounds;
  minima.mark = bounds.mark = Mark::kHollowPoints;
  minima.colour = kInk;
  minima.label = "lowest of the parabola";
  bounds.colour = kBoundColour;
  bounds.label = "at an edge: a bound";
  for (const IsoFlop& budget : f.isoflop.budgets) {
    add_isoflop(budget, panel, n, loss);
    add_minimum(budget, minima, bounds);
  }
  if (!minima.x.empty()) panel.series.push_back(std::move(minima));
  if (!bounds.x.empty()) panel.series.push_back(std::move(bounds));
  n.on(panel.x, 0.06);
  loss.on(panel.y, 0.18);  // room for the words above the smallest budget
  return panel;
}

void add_line(const Approach& a, int colour, Panel& panel, AxisRange& n, double low, double high) {
  Series line;
  line.colour = colour;
  line.label = std::string(in_words(a.kind)) + ": a " + fixed(a.exponent.value, 3);
  for (const double c : {low, high}) {
    line.x.push_back(c);
    line.y.push_back(a.coefficient * std::pow(c, a.exponent.value));
    n.add(line.y.back());
  }
  panel.series.push_back(std::move(line));
}

Panel size_panel(const Frontier& f) {
  Panel panel;
  panel.title = "Best size of a budget";
  panel.x = {"C, FLOPs", AxisScale::kLog, 1, 10, false};
  panel.y = {"N*, parameters", AxisScale::kLog, 1, 10, true};
  panel.legend_place = LegendPlace::kTopLeft;
  AxisRange c, n;
  for (const FrontierPoint& p : f.data.points) c.add(p.c);
  for (const GivenOptimum& o : f.data.optima) c.add(o.c);
  Series minima, bounds;
  minima.mark = Mark::kErrorBars;
  bounds.mark = Mark::kHollowPoints;
  minima.colour = kInk;
  bounds.colour = kBoundColour;
  minima.label = f.data.optima.empty() ? "parabola's minima" : "minima as given";
  bounds.label = "at an edge: a bound";
  const auto add = [&](Series& to, double budget, double ln_n, double error) {
    to.x.push_back(budget);
    to.y.push_back(std::exp(ln_n));
    to.low.push_back(std::exp(ln_n - error));
    to.high.push_back(std::exp(ln_n + error));
    n.add(to.low.back());
    n.add(to.high.back());
  };
  for (const IsoFlop& b : f.isoflop.budgets) {
    const MinimumStatus status = b.parabola.status;
    if (status == MinimumStatus::kNone || status == MinimumStatus::kTooFewSizes) continue;
    add(status == MinimumStatus::kInside ? minima : bounds, b.budget, b.parabola.ln_n,
        b.parabola.ln_n_error);
  }
  for (const GivenOptimum& o : f.data.optima) add(minima, o.c, std::log(o.n), o.error);
  int colour = 0;
  for (const Approach& a : f.approaches) {
    const bool less_bias =
        a.kind == ApproachKind::kParabolaLessBias || a.kind == ApproachKind::kAkimaLessBias;
    if (a.stands() && !less_bias) add_line(a, colour++, panel, n, c.low, c.high);
  }
  if (!minima.x.empty()) panel.series.push_back(std::move(minima));
  if (!bounds.x.empty()) panel.series.push_back(std::move(bounds));
  c.on(panel.x, 0.05);
  n.on(panel.y, 0.1);
  return panel;
}

}  // namespace

Figure frontier_figure(const Frontier& f) {
  Figure figure;
  figure.id = "frontier";
  figure.title = "Compute-optimal frontier";
  figure.width_px = 1240;
  figure.height_px = 560;
  if (!f.isoflop.budgets.empty()) {
    figure.panels.push_back(isoflop_panel(f));
    figure.colours = ColourScale{
        "C, FLOPs", f.isoflop.budgets.front().budget,
        std::max(f.isoflop.budgets.back().budget, 1.01 * f.isoflop.budgets.front().budget), false};
  }
  figure.panels.push_back(size_panel(f));
  figure.columns = static_cast<int>(figure.panels.size());
  figure.caption =
      "Left: runs of equal compute C, a colour each, with the parabola of L in ln N and its lowest "
      "place; a lowest place at the end of the sizes is only a bound. Right: those places with one "
      "standard error, and the line of every approach over the budgets of these runs. Straight "
      "lines that differ in slope disagree on how size should grow.";
  return figure;
}

}  // namespace scalelaw
