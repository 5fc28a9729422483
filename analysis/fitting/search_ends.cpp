#include "analysis/fitting/search_ends.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {

using Index = Eigen::Index;

SearchEnds::SearchEnds(const FormulaLaw& law)
    : low(static_cast<Index>(law.constants.size())), high(low.size()) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  for (Index k = 0; k < low.size(); ++k) {
    const FormulaConstant& constant = law.constants[static_cast<std::size_t>(k)];
    const bool ranged = constant.transform != Transform::kLogit;
    low[k] = ranged ? constant.to_search(constant.low) : -kInfinite;
    high[k] = ranged ? constant.to_search(constant.high) : kInfinite;
  }
}

double SearchEnds::within(std::size_t k, double u) const {
  return std::clamp(u, low[static_cast<Index>(k)], high[static_cast<Index>(k)]);
}

bool SearchEnds::is_end(std::size_t k, double u) const {
  return u <= low[static_cast<Index>(k)] || u >= high[static_cast<Index>(k)];
}

bool is_in_reach(const FormulaLaw& law, const double* u) {
  for (std::size_t k = 0; k < law.constants.size(); ++k) {
    const bool linear = law.constants[k].transform == Transform::kLinear;
    if (!(std::abs(u[k]) < (linear ? std::numeric_limits<double>::infinity() : kFarthestLog))) {
      return false;
    }
  }
  return true;
}

}  // namespace scalelaw
