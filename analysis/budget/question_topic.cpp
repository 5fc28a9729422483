// What a question is about, by what it says; and what it says too much or too little of.
#include "analysis/budget/question.h"
#include "analysis/budget/question_words.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

BudgetTopic inference_of(const BudgetQuestion& q, bool compute) {
  const int given = (q.loss ? 1 : 0) + (q.n ? 1 : 0) + (compute ? 1 : 0);
  if (given == 0) {
    throw ConfigError(
        "inference tokens need what the model shall be able to do: a loss (loss 2.1), "
        "the parameters of a model to match, or a budget");
  }
  if (given > 1 || q.n_other || q.d_unique || (q.d && !q.n)) {
    throw ConfigError(
        "inference tokens, and more than one thing that says what the model shall be able to do: "
        "a loss, the parameters of a model to match (and its tokens), or a budget");
  }
  return BudgetTopic::kInference;
}

}  // namespace

BudgetTopic topic_of(const BudgetQuestion& q) {
  const bool compute = q.compute_flops || (q.machines && q.seconds);
  if (q.compute_flops && q.machines && q.seconds) {
    throw ConfigError("compute is said twice: in FLOPs, and as machines for a time");
  }
  if (compute && q.n && q.d) {
    throw ConfigError("compute, parameters and tokens: two of them say the third (C = 6 N D)");
  }
  if (q.seconds && !q.machines) {
    throw ConfigError(
        "a time, and no machines; for example: scalelaw budget 100 A100s for a month");
  }
  if (q.n_other && *q.n_other == *q.n) {
    throw ConfigError("two sizes to compare, and they are the same");
  }
  if (q.d_inference) return inference_of(q, compute);
  if (q.d_unique) {
    if (q.loss || q.d || q.n_other || (q.n && compute)) {
      throw ConfigError(
          "unique tokens, and more than one thing beside them; ask for them alone, with "
          "parameters, or with a budget");
    }
    return BudgetTopic::kRepeated;
  }
  if (q.loss) {
    if (compute || q.n || q.d) {
      throw ConfigError(
          "a loss to reach, and more that settles it; ask for the loss alone, with "
          "machines for their time");
    }
    return BudgetTopic::kLoss;
  }
  if (q.n_other) {
    if (compute) {
      throw ConfigError(
          "two sizes, and a budget; ask for the gain between sizes, or for what the budget trains");
    }
    return BudgetTopic::kGain;
  }
  if (compute) return BudgetTopic::kPlan;
  if (q.n && q.d) return BudgetTopic::kRun;
  if (q.n) return BudgetTopic::kTokens;
  if (q.d) return BudgetTopic::kSize;
  if (q.machines) {
    throw ConfigError("for how long? for example: scalelaw budget 100 A100s for a month");
  }
  throw ConfigError("nothing is asked; " + what_is_understood());
}

}  // namespace scalelaw
