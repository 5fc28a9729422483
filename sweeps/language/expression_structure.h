// Brackets, conditions and commas of an expression, of whose faults muParser points behind the
// place, or at none.
#pragma once

#include <optional>
#include <string_view>

#include "sweeps/language/expression.h"

namespace scalelaw {

// The first of: a ? or : that no operand stands before, a ? without its : and the other way round
// (each within its brackets and its argument), a comma that parts no arguments. Nothing is said of
// brackets that are not closed, nor of what else may be wrong.
std::optional<ExpressionFault> structure_fault(std::string_view text);

}  // namespace scalelaw
