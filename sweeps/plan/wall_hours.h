// How long a machine needs by the clock for runs whose own times are known: stage by stage, since
// what waits starts when all of the stage before has ended.
#pragma once

#include <array>
#include <cstdint>

#include "sweeps/plan/plan.h"

namespace scalelaw {

class WallHours {
 public:
  explicit WallHours(const PlanOptions& options);

  // A run of that stage: hours of a core or of a GPU, and of the process that it shares with so
  // many. On a CPU what was measured of a process's start comes to both, where they are not 0.
  void add(Stage stage, double device_hours, double process_hours, int64_t runs_in_process = 1);
  // What a run has had, by the clock, of the whole machine, where that is known.
  void add_had(Stage stage, double machine_hours);
  // Of each stage an even share for each core or GPU, at least its longest process.
  double hours() const;

 private:
  struct OfStage {
    double device_hours = 0, machine_hours = 0, longest = 0;
  };
  double devices_ = 1;
  double start_hours_ = 0;
  std::array<OfStage, std::size(kStages)> stages_ = {};
};

}  // namespace scalelaw
