// How many runs of one shape to train side by side on a device, and in how many processes.
#pragma once

#include <cstdint>
#include <vector>

#include "sweeps/device/throughput.h"

namespace scalelaw {

struct PackingLimits {
  int64_t runs = 1;         // of equal shape, >= 1
  int most_processes = 1;   // a CPU's cores, >= 1
  double memory_bytes = 0;  // of the device, for all processes; 0: not known
};

// How to train `limits.runs` runs, each as `run` (one replica) says. Of all packings whose steps
// fit the memory and are computed in the pieces in which a run alone would be, those that bring all
// runs one step on in nearly the least time (5% more; 25% where the rates are assumed), and of
// these the one with the fewest replicas, so that few runs share a fate. Rates of a device that was
// not measured with this architecture and precision are assumed.
Packing choose_packing(const Throughput& device, const StepRequest& run,
                       const PackingLimits& limits);

// Runs of one shape and horizon.
struct AlikeRuns {
  StepRequest run;            // one replica
  int64_t runs = 1;           // >= 1
  int64_t steps = 1;          // of each
  int64_t most_replicas = 1;  // that go well together; 1 to `runs`
};

struct PackingPlaces {
  int64_t devices = 1;         // GPUs, or cores, >= 1
  int64_t most_processes = 1;  // side by side on each, >= 1
  int64_t other_packs = 0;     // that want a place too
  double memory_bytes = 0;     // of each process; 0: not known
};

// How many replicas a pack of each of `all` holds at most. As choose_packing() has it of all runs
// that are alike, in one process after another; but packs are divided, the longest first, while
// there are fewer than devices, so that none stands idle, and then as long as the end of all comes
// nearer, the longest packs starting first. All packs that
// share a device are timed as its law has it of so many processes, of as many as were measured at
// most: that there are places for more is no reason to divide.
std::vector<int64_t> choose_replicas(const Throughput& device, const std::vector<AlikeRuns>& all,
                                     const PackingPlaces& places);

}  // namespace scalelaw
