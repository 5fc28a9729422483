// Cells of a sweep that a person names, and what can be asked for them: another try, or to be left
// out of the sweep.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "trainer/run_lease.h"

namespace scalelaw {

// Those that any of the names means: a folder's name, a pattern of the shell ('*_l2w64_*'), or the
// beginning of a content hash (6 digits at least). In the plan's order. ConfigError names the first
// that means none, with what is near.
std::vector<std::size_t> cells_named(const Plan& plan, const std::vector<std::string>& names);

// Of those, the ones that exclude_cells() left out: what only a pattern means and the sweep itself
// does not exclude is passed over. ConfigError too where none is left.
std::vector<std::size_t> excluded_cells_named(const Plan& plan,
                                              const std::vector<std::string>& names);

// Begins the name of the folder, in a run's, that holds what it had trained before it was begun
// from scratch.
inline constexpr const char* kBefore = "before.";

struct RetryOptions {
  bool from_scratch = false;   // what they have trained is set aside, as RUN/before.0001/
  bool forget_limits = false;  // what packs and pieces were too large for them (cell_limits.h)
};

// Forgets why these failed, so that `run` starts them like others. ConfigError, with nothing
// changed, where one is running, excluded, complete (or diverged, unless from scratch), a diverged
// trial once runs have begun at rates that its arm's trials told, or too large for memory however
// it is computed, unless its limits are forgotten. Returns them without those that another process
// has completed since that look, which are left as they are.
std::vector<std::size_t> retry_cells(const Plan& plan, const std::vector<std::size_t>& cells,
                                     const RetryOptions& options);

// What the run has trained goes to RUN/before.0001/; false, with nothing moved, where it is
// complete now that its folder is held. std::runtime_error of a disk.
bool set_aside_unless_complete(const Plan& plan, const PlannedCell& cell, const RunLease& held);

// Leaves them out of the sweep, or takes them in again, whatever they are at
// (trainer/cell_exclusion.h). ConfigError without a reason, and, with nothing changed, of a trial
// once runs have begun at rates that its arm's trials told.
void exclude_cells(const Plan& plan, const std::vector<std::size_t>& cells,
                   const std::string& reason);
// ConfigError, with nothing changed, too where the sweep itself excludes one of them not. Of those
// that the study of a sweep with settings excludes still, and so this one too, the study's reason.
std::map<std::size_t, std::string> include_cells(const Plan& plan,
                                                 const std::vector<std::size_t>& cells);

}  // namespace scalelaw
