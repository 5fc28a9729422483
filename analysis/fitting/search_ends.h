// Search coordinates between which the constants of a FormulaLaw lie.
#pragma once

#include <Eigen/Core>
#include <cstddef>

#include "analysis/laws/formula_law.h"

namespace scalelaw {

inline constexpr double kFarthestLog = 690;  // exp of more is no double

struct SearchEnds {
  Eigen::VectorXd low, high;  // infinite where there is no end

  explicit SearchEnds(const FormulaLaw& law);
  double within(std::size_t k, double u) const;
  bool is_end(std::size_t k, double u) const;
};

// No constant that is searched by its logarithm is beyond kFarthestLog, every one is finite.
bool is_in_reach(const FormulaLaw& law, const double* u);

}  // namespace scalelaw
