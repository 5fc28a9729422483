// What `scalelaw budget` is asked: free words, and the answer to what was understood.
#include <cmath>

#include "analysis/budget/answer.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const BudgetQuestion question = budget_question({std::string(bytes)});
  for (const auto* value : {&question.seconds, &question.device_hours, &question.compute_flops,
                            &question.n, &question.n_other, &question.d, &question.d_inference,
                            &question.d_unique, &question.loss}) {
    require(!*value || (**value > 0 && std::isfinite(**value)), "what was said is a number");
  }
  require(!question.machines || question.machines->device != nullptr, "machines are of a kind");
  const BudgetAnswer answer = answer_budget(question, published_planning_laws(), {});
  const std::string page = to_markdown(answer.document, "");
  require(page.starts_with("**"), "the answer comes first");
  for (const char* none : {"nan ", "inf ", "(nan", "(inf"}) {
    require(page.find(none) == std::string::npos, "every number of the answer is one");
  }
}

}  // namespace scalelaw
