// Why a launcher starts nothing more, and what it asks of what runs.
#pragma once

#include <string>

#include "sweeps/launch/launch_display.h"
#include "sweeps/launch/pack_processes.h"
#include "sweeps/launch/run_queue.h"

namespace scalelaw {

class LaunchStop {
 public:
  // All outlive it.
  LaunchStop(RunQueue& queue, const PackProcesses& processes, LaunchDisplay& display)
      : queue_(queue), processes_(processes), display_(display) {}

  // For want of room: what runs is asked for a checkpoint, and all goes on with the next launch.
  void pause(const std::string& why);
  // Of a stop signal that reached the launcher: the first asks what runs for a checkpoint, another
  // that insists, more than a second later, kills it.
  void take(int signal);

  bool interrupted() const { return interrupted_; }
  const std::string& paused_because() const { return paused_because_; }  // "": it was not
  bool is_to_stop() const { return interrupted_ || !paused_because_.empty(); }

 private:
  std::string runs_in_progress() const;

  RunQueue& queue_;
  const PackProcesses& processes_;
  LaunchDisplay& display_;
  double asked_at_ = 0;
  bool interrupted_ = false;
  std::string paused_because_;
};

}  // namespace scalelaw
