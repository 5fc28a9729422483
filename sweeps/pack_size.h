// How many runs of one shape to train side by side on a device, and in how many processes.
#pragma once

#include <cstdint>

#include "sweeps/throughput.h"

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

}  // namespace scalelaw
