// A question's answer: one sentence to read, what follows from it, the other laws beside it, and
// what was assumed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "analysis/budget/machine_budget.h"
#include "analysis/report/document.h"

namespace scalelaw {

struct BudgetAnswer {
  Document document;
  nlohmann::ordered_json json;
  std::vector<std::string> warnings;
};

// By the first of `laws`; the others stand beside it. ConfigError: a question that this law cannot
// answer, such as a loss below its floor that everything else depends on.
BudgetAnswer answer_budget(const BudgetQuestion& question, const std::vector<PlanningLaw>& laws,
                           const BudgetOptions& options);

}  // namespace scalelaw
