// How many steps a batch needs, and which batch and learning rate are best.
#include "analysis/laws/formula_constants.h"

namespace scalelaw {

std::vector<FormulaLaw> laws_of_batch_and_rate() {
  return {
      formula_law(
          "critical_batch", "critical batch of the loss reached", "batch = B_star/L^(1/a_B)",
          {positive("B_star", 2e8), FormulaConstant{"a_B", Transform::kLog, 0, 100, .05, 2, .21}},
          "Kaplan et al. 2020, 1.4 (batch is B_crit in tokens)"),
      formula_law("batch_hyperbola", "steps to one loss of the batch",
                  "S = S_min*(1 + B_crit/batch)",
                  {positive("S_min"), positive("B_crit", {}, 1, 1e9)},
                  "Kaplan et al. 2020, 5.1; McCandlish et al. 2018, 2.11 (E_min = B_crit S_min)"),
      formula_law("lr_step_law", "best learning rate of size and data", "lr = c*N^-a*D^b",
                  {positive("c", 1.79), exponent("a", .713), exponent("b", .307)},
                  "Li et al. 2025, Step Law, arXiv 2503.04715"),
      formula_law("batch_step_law", "best batch of data", "batch = c*D^b",
                  {positive("c", .58), exponent("b", .571)},
                  "Li et al. 2025, Step Law, arXiv 2503.04715 (batch in tokens)"),
  };
}

}  // namespace scalelaw
