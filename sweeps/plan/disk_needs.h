// What a sweep asks of the disk that its store lies on, by arithmetic: checkpoints are nearly all
// of it, and their size follows from the shape.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sweeps/device/packing.h"
#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"
#include "trainer/disk_space.h"

namespace scalelaw {

// All that a run's first attempt makes; what one that goes on does: lease, attempt, cost, metrics,
// two checkpoints and a draft.
inline constexpr double kFilesOfAnAttempt = 12, kFilesOfAResumption = 7;

// One file: 12 bytes a parameter and its header. 0 where an architecture gives no counts.
double checkpoint_bytes(const PlannedCell& cell);

// Of a complete run's checkpoint, as its how.keep says.
double kept_bytes(const PlannedCell& cell);
// A run that is complete: that, losses, lines and small files.
double bytes_of_complete(const PlannedCell& cell);
double files_to_train(const Plan& plan, const PlannedCell& cell);
// Beyond its checkpoints that lie there: two of them and the draft of a third, at least a draft.
double bytes_to_train(const Plan& plan, const PlannedCell& cell);

// Beyond what lies there already.
struct DiskNeeds {
  double bytes_to_stay = 0, files_to_stay = 0;  // of the runs that have not ended, once they have
  double bytes_at_once = 0, files_at_once = 0;  // of the packs that may train now side by side
  // Of all stages the most: what stays of it and those before, and what else trains at once.
  double bytes_at_peak = 0, files_at_peak = 0;
};
// A run that is complete holds what it keeps of one checkpoint. At once: the largest packs, as many
// as the workers have processes.
DiskNeeds disk_needs(const Plan& plan, const std::vector<CellStatus>& statuses);

// "1.2G bytes at most, 410M of them to stay, in 156 files; free: 80G, 5.2M files (a quota is not
// seen)". `space` as space_left() gives it for the store.
std::string describe(const DiskNeeds& needs, const std::optional<DiskSpace>& space);

// Why the sweep will come to a halt before its end: "" where all fits, or that is not known.
std::string disk_warning(const DiskNeeds& needs, const std::optional<DiskSpace>& space);
// ConfigError where there is not even room for what runs at once.
void check_disk(const DiskNeeds& needs, const std::optional<DiskSpace>& space);

}  // namespace scalelaw
