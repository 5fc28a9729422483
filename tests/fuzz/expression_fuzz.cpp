// What stands behind = in a sweep file.
#include "sweeps/language/expression.h"

#include <cmath>
#include <string>

#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  try {
    const Expression expression{std::string(bytes)};
    double next = 1;
    const double value = expression.value([&](const Expression::Name& name) {
      require(bytes.substr(name.position, name.name.size()) == name.name, "a name stands there");
      return next *= -1.5;
    });
    require(std::isfinite(value), "a value is a finite number");
  } catch (const ExpressionFault& fault) {
    require(fault.position() <= bytes.size(), "a fault is in the text");
  }
}

}  // namespace scalelaw
