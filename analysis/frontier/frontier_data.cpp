#include "analysis/frontier/frontier_data.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/weighted_line.h"

namespace scalelaw {

int FrontierData::runs() const {
  std::set<int> seen;
  for (const FrontierPoint& point : points) seen.insert(point.run);
  return static_cast<int>(seen.size());
}

std::vector<Observation> FrontierData::observations() const {
  std::vector<Observation> rows;
  for (const FrontierPoint& point : points) rows.push_back({point.n, point.d, point.loss, 1});
  return rows;
}

ComputeLaw compute_law(std::span<const FrontierPoint> points) {
  // A slope that rounding alone gives is none: C that was counted as 6 N D must have s = 0.
  constexpr double kConstant = 1e-6;
  std::vector<LinePoint> line;
  for (const FrontierPoint& p : points) {
    line.push_back({std::log(p.n), std::log(p.c / (p.n * p.d)), 1});
  }
  ComputeLaw law;
  if (line.empty()) return law;
  const auto [low, high] = std::ranges::minmax(line, {}, &LinePoint::y);
  const auto [small, large] = std::ranges::minmax(line, {}, &LinePoint::x);
  if (high.y - low.y < kConstant || large.x - small.x < kConstant) {
    for (const LinePoint& p : line) law.ln_k += p.y / static_cast<double>(line.size());
  } else {
    const WeightedLine fitted = fit_line(line);
    law.s = fitted.slope;
    law.ln_k = fitted.at(0);
  }
  for (const LinePoint& p : line) {
    law.worst = std::max(law.worst, std::abs(p.y - law.ln_k - law.s * p.x));
  }
  return law;
}

}  // namespace scalelaw
