// What trials have told of a sweep's cells, and what still waits.
#pragma once

#include <cstdint>
#include <string>

#include "sweeps/plan/plan.h"

namespace scalelaw {

// What has become of trials, by the store; for make_plan().
TrialEnds trial_ends(const PlanOptions& options, const std::string& sweep_name);

int64_t waiting_cells(const Plan& plan);
int64_t provisional_cells(const Plan& plan);  // of those
// Whether no cell has ceased to wait, or begun to, between two plans of one sweep.
bool know_the_same(const Plan& a, const Plan& b);

}  // namespace scalelaw
