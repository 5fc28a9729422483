// What a plan worked out of its cells, in columns of `plan` where it tells cells apart.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"

namespace scalelaw {

std::optional<int64_t> n_head(const PlannedCell& cell);  // nullopt: of another architecture
std::optional<int64_t> d_ff(const PlannedCell& cell);

struct PlanColumn {
  std::string heading, meaning;
  std::string (*text)(const PlannedCell& cell);
  bool may_be_left_out;  // of a table that is too wide
};
// Of sizes where one is missed by more than 1%; of batch, heads and feed-forward width where they
// vary though no swept key says so.
std::vector<PlanColumn> worked_out_columns(const Plan& plan);

}  // namespace scalelaw
