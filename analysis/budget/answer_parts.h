// What every answer is made of: a plan with its bands, the same plan by every law, how far it lies
// beyond the runs behind a law.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/budget/answer.h"
#include "analysis/budget/machine_budget.h"
#include "analysis/budget/planning_law.h"
#include "analysis/report/document.h"

namespace scalelaw {

// nullopt: this law has no such plan.
using PlanOf = std::function<std::optional<TrainingPlan>(const PlanningLaw&)>;

struct BandedPlan {
  TrainingPlan plan;
  std::optional<Interval> n, d, loss, flops;  // 95%; nullopt: not known, or the value was given
};
std::optional<BandedPlan> banded(const PlanningLaw& law, const PlanOf& plan_of);

// "" where the plan lies among the law's runs.
std::string beyond_in_words(const PlanningLaw& law, const TrainingPlan& plan);

// One row a law: size, tokens, tokens a parameter, loss, compute.
DocumentTable plans_by_law(const std::vector<PlanningLaw>& laws, const PlanOf& plan_of);

// Data read more than once, for BudgetTopic::kRepeated: lead, table, JSON and warnings.
void answer_repeated(const BudgetQuestion& question, const PlanningLaw& law, double utilisation,
                     BudgetAnswer& answer);
// Laws, ranges, machines: what every answer ends with.
void add_assumptions(const BudgetQuestion& question, const std::vector<PlanningLaw>& laws,
                     const Utilisation& use, BudgetAnswer& answer);

nlohmann::ordered_json json_of(const PlanningLaw& law, const std::optional<BandedPlan>& plan);
nlohmann::ordered_json json_of(const std::optional<Interval>& band);

}  // namespace scalelaw
