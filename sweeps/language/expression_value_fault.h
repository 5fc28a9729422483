// Where an expression that is well formed ceases to have a value.
#pragma once

#include <functional>
#include <string>

#include "sweeps/language/expression.h"

namespace scalelaw {

// Of `text`, which comes to no finite number: the division, the power or the call that does first,
// of those on which the result rests; else the whole, at its first character. `value` is of a part
// of it, as an expression of its own.
ExpressionFault value_fault(const std::string& text,
                            const std::function<double(const std::string&)>& value);

}  // namespace scalelaw
