// What `scalelaw fit --out` writes and a sweep's file names.
#include "tests/fuzz/fuzz_target.h"
#include "trainer/fit_file.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const FitFile fit = fit_file_from_json(bytes);
  require(!fit.laws.empty(), "a file has a law");
  for (const FittedLaw& law : fit.laws) {
    require(fit.find(law.quantity) == &law, "one law a quantity");
    require(law.at(law.low) > 0 && law.holds(law.low), "a law has a value in its range");
    require(law.c_count.has_value() == (law.variable == FitVariable::kCompute),
            "C is counted where it is the variable");
  }
  require(fit_file_from_json(to_json(fit)) == fit, "a fit that was written reads back the same");
}

}  // namespace scalelaw
