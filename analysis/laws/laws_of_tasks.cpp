// What tasks make of a loss: no law promises that it goes on.
#include "analysis/laws/formula_constants.h"

namespace scalelaw {

std::vector<FormulaLaw> laws_of_tasks() {
  std::vector<FormulaLaw> laws = {
      formula_law(
          "accuracy", "accuracy of the loss, logistic",
          "accuracy = low + (high - low)/(1 + exp(k*(L - L_mid)))",
          {share("low"), share("high"), positive("k", {}, .3, 30), positive("L_mid", {}, .3, 10)},
          "Grattafiori et al. 2024, Llama 3, 3.2.1; Bhagia et al. 2024"),
      formula_law("pass_rate", "minus the mean ln of pass rates, of compute",
                  "neg_ln_pass = A*C^-k", {positive("A"), exponent("k")},
                  "OpenAI 2023, GPT-4 technical report"),
  };
  laws.front().in_ln = false;
  return laws;
}

}  // namespace scalelaw
