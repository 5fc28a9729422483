#include "analysis/fit_law/joint_figure.h"

#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"

namespace scalelaw {
namespace {

// A tenth free on either side.
void widen(Axis& axis, const std::vector<double>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  const double free = .1 * (high - low) + 1e-9 * std::abs(high);
  axis.low = std::min(axis.low, low - free);
  axis.high = std::max(axis.high, high + free);
}

}  // namespace

Figure joint_figure(const LawReport& report) {
  const FormulaLaw& law = report.law;
  Figure figure;
  figure.id = "joint";
  Panel panel;
  panel.x.low = panel.y.low = HUGE_VAL;
  panel.x.high = panel.y.high = -HUGE_VAL;
  int colour = 0;
  bool bounded = true;
  for (const LawAnswer& a : report.answers) {
    if (!a.joint || a.joint->x.empty()) continue;
    const JointContour& joint = *a.joint;
    bounded = bounded && joint.bounded();
    panel.x.label = law.constants[joint.first].symbol;
    panel.y.label = law.constants[joint.second].symbol;
    Series line, best;
    line.label = a.group;
    line.colour = best.colour = colour++;
    line.x = joint.x;
    line.y = joint.y;
    line.x.push_back(joint.x.front());
    line.y.push_back(joint.y.front());
    best.mark = Mark::kPoints;
    const FormulaFit& squares = a.squares ? *a.squares : a.fit;
    best.x = {squares.values[joint.first]};
    best.y = {squares.values[joint.second]};
    best.names = {"best fit" + (a.group.empty() ? "" : " of " + a.group)};
    widen(panel.x, line.x);
    widen(panel.y, line.y);
    panel.series.push_back(std::move(line));
    panel.series.push_back(std::move(best));
  }
  figure.title = panel.x.label + " and " + panel.y.label + " together, " +
                 level_text(report.question.level) + ": " + law.formula.text();
  figure.caption =
      "Within a line the least-squares fit, its other constants refitted, is not significantly "
      "worse than the best (the point): 2 F(2, df) residual variances. A long narrow set says that "
      "one of the two can be told only together with the other.";
  if (!bounded) {
    figure.caption +=
        " A set here has no end in some direction: its line is closed where the search stopped.";
  }
  figure.panels.push_back(std::move(panel));
  return figure;
}

}  // namespace scalelaw
