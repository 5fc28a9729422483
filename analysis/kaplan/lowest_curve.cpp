#include "analysis/kaplan/lowest_curve.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/frontier/envelope.h"

namespace scalelaw {
namespace {

std::vector<LossCurve> loss_curves(std::span<const AdjustedCurve* const> curves, BudgetKind kind) {
  std::vector<LossCurve> all;
  for (const AdjustedCurve* curve : curves) {
    if (curve->points.size() < 2) continue;
    LossCurve& one = all.emplace_back();
    one.n = curve->n;
    one.run = static_cast<int>(curve->run);
    for (const CurvePoint& point : curve->points) {
      one.d.push_back(point.s);
      one.c.push_back(kind == BudgetKind::kSpent ? point.c : point.c_min);
      one.loss.push_back(point.loss);
    }
  }
  return all;
}

}  // namespace

LowestCurveLaw lowest_curve_law(std::span<const AdjustedCurve* const> curves, BudgetKind kind,
                                const CriticalBatch* critical, int budgets) {
  constexpr std::size_t kFewestSizes = 2;
  LowestCurveLaw law;
  const std::vector<LossCurve> all = loss_curves(curves, kind);
  law.runs = static_cast<int>(all.size());
  if (all.empty()) {
    law.why = "no curve is long enough";
    return law;
  }
  const auto [least, largest] = std::ranges::minmax(all, {}, &LossCurve::n);
  const double ln_least = std::log(least.n), ln_largest = std::log(largest.n);
  std::vector<LinePoint> loss, size, steps, batch;
  std::set<double> sizes;
  for (const EnvelopePlace& place : envelope(all, {budgets, 0, 1}).places) {
    if (place.ln_n <= ln_least || place.ln_n >= ln_largest) continue;
    sizes.insert(place.ln_n);
    const double l = std::exp(place.ln_loss);
    const double b = std::log(kind == BudgetKind::kLeast ? critical->at(l) : curves.front()->batch);
    loss.push_back({place.ln_c, place.ln_loss, 1});
    size.push_back({place.ln_c, place.ln_n, 1});
    steps.push_back({place.ln_c, place.ln_c - std::log(6) - place.ln_n - b, 1});
    batch.push_back({place.ln_c, b, 1});
  }
  law.sizes = static_cast<int>(sizes.size());
  if (sizes.size() < kFewestSizes) {
    law.why = "of the sizes between the smallest and the largest " + std::to_string(sizes.size()) +
              (sizes.size() == 1 ? " is" : " are") +
              " lowest at any budget, and a law takes two: beyond the ends N* is but bounded";
    return law;
  }
  law.loss = fit_line(loss);
  if (!(law.loss.slope < 0)) {
    law.status = FitStatus::kDegenerate;
    law.why = "the lowest loss does not fall with compute";
    return law;
  }
  law.size = fit_line(size);
  law.steps = fit_line(steps);
  if (kind == BudgetKind::kLeast) law.batch = fit_line(batch);
  law.least_c = std::exp(loss.front().x);
  law.most_c = std::exp(loss.back().x);
  const auto [low, high] = std::ranges::minmax(loss, {}, &LinePoint::y);
  law.least_loss = std::exp(low.y);
  law.most_loss = std::exp(high.y);
  law.status = FitStatus::kConverged;
  return law;
}

}  // namespace scalelaw
