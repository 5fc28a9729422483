// How long a run takes on one core, or in its pack on a GPU: the time of a training step, as
// measured or at a stated rate, times its steps, and what evaluations and the noise scale add.
#pragma once

#include <optional>
#include <string>

#include "sweeps/plan/plan.h"

namespace scalelaw {

struct RunSeconds {
  double training = 0;
  double evaluation = 0;   // those on the way and the final one: a forward pass, a third of a
                           // step's time, for each token of each test set
  double noise_scale = 0;  // the part of a batch that is computed once more at each measurement
  double total() const { return training + evaluation + noise_scale; }
};
// Of a run whose training steps take so long.
RunSeconds run_seconds(const RunConfig& config, double step_seconds);

std::string stated_rate(const PlanOptions& options);  // "30 GFLOP/s (--flops-per-second)"
// Where a plan's hours come from, for people; of one some of whose cells were not measured, those
// of the others.
std::string hours_source(const Plan& plan);
// Of some cell.
bool has_measured_hours(const Plan& plan);

// Of one process beside as many others as run at once, or as were measured together where those are
// fewer. nullopt: nothing was measured of it.
std::optional<double> measured_step_seconds(const PlanOptions& options, const PlannedCell& cell);

// The core hours of a cell whose FLOPs and steps are known; nothing where it runs on a GPU.
void predict_hours(const PlanOptions& options, PlannedCell& cell);

// The hours of packs, as the cells of a stage would make them that begin anew. For GPUs every
// cell's GPU hours too, beside as many packs on its GPU as it gets where the stage's are dealt out
// in their order and the workers' jobs let run: by the device's law as measured; of what that
// lacks, or without one, as assumed (Throughput::unmeasured()). On a CPU a pack takes what its runs
// take one after another.
void predict_pack_hours(Plan& plan);

// Of the process that a cell is trained in; 0: not known.
double process_hours(const PlannedCell& cell);

}  // namespace scalelaw
