// Shorthand in which the files of named laws write their constants.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/laws/formula_law.h"

namespace scalelaw {

// An exponent: 0 to 3, sought from .03 to 1.
inline FormulaConstant exponent(std::string symbol, std::optional<double> published = {}) {
  return {std::move(symbol), Transform::kLinear, 0, 3, .03, 1, published};
}
// Positive and sought over [from, to].
inline FormulaConstant positive(std::string symbol, std::optional<double> published = {},
                                double from = 1e-3, double to = 1e3) {
  return {std::move(symbol), Transform::kLog, 0, std::numeric_limits<double>::infinity(), from, to,
          published};
}
// The scale of a column that is raised to a power: of N in (N_c / N)^a.
inline FormulaConstant scale_of_column(std::string symbol, std::optional<double> published = {}) {
  return positive(std::move(symbol), published, 1e2, 1e30);
}
inline FormulaConstant share(std::string symbol) {
  return {std::move(symbol), Transform::kLogit, 0, 1, .05, .95, {}};
}

// `constants` in any order: they are put into the formula's.
FormulaLaw formula_law(std::string id, std::string about, const std::string& text,
                       const std::vector<FormulaConstant>& constants, std::string source);

}  // namespace scalelaw
