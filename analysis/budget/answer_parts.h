// What every answer is made of: a plan with its bands, the same plan by every law, how far it lies
// beyond the runs behind a law.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

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

nlohmann::ordered_json json_of(const PlanningLaw& law, const std::optional<BandedPlan>& plan);
nlohmann::ordered_json json_of(const std::optional<Interval>& band);

}  // namespace scalelaw
