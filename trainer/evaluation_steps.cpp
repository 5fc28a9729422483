#include "trainer/evaluation_steps.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {

std::vector<int64_t> evaluation_steps(double points_per_decade, int64_t steps) {
  std::vector<int64_t> due;
  if (points_per_decade <= 0) return due;
  for (double i = 0;; ++i) {
    const double exact = std::pow(10.0, i / points_per_decade);
    if (std::rint(exact) >= static_cast<double>(steps)) return due;
    const auto step = static_cast<int64_t>(std::rint(exact));
    if (!due.empty() && step <= due.back()) continue;
    due.push_back(step);
    // Where points are dense, past those that would round to the same step.
    const double half_way = static_cast<double>(step) + 0.5;
    i = std::max(i, std::floor(points_per_decade * std::log10(half_way)) - 2);
  }
}

}  // namespace scalelaw
