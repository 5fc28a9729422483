// What stands behind --law.
#include <array>

#include "analysis/laws/formula_law.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  try {
    const FormulaLaw law = own_law(std::string(bytes), law_columns());
    const std::size_t constants = law.formula.constants().size();
    require(constants > 0 && constants <= LawFormula::kMostNames, "constants are counted");
    std::array<double, LawFormula::kMostNames> values, row, gradient;
    values.fill(.5);
    row.fill(3);
    law.formula.value(values.data(), row.data(), gradient.data());
  } catch (const FormulaFault& fault) {
    require(fault.position() <= bytes.size(), "a fault is in the text");
  }
}

}  // namespace scalelaw
