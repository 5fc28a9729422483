// Where the search of a FormulaLaw begins: a Latin hypercube over the constants that enter
// nonlinearly, the others solved for by least squares (variable projection on a grid, for any
// formula), and of all of them the best and some that are not.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analysis/fitting/formula_objective.h"

namespace scalelaw {

// Constants in which the law is jointly linear at the rows, found by moving them at random and
// watching whether the gradient in them moves. In the formula's order.
std::vector<std::size_t> linear_constants(const FormulaLaw& law, const FormulaData& data);

// Search coordinates, deterministic in `seed`, best objective first. `held`: constants that stay at
// a value. Empty where the law has a value at no start.
std::vector<std::vector<double>> formula_starts(const FormulaObjective& objective, int count,
                                                uint64_t seed,
                                                const std::map<std::size_t, double>& held = {});

}  // namespace scalelaw
