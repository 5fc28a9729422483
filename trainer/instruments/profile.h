// Where a training step's time goes, by operator, as LibTorch's Kineto profiler sees it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/instruments/rehearsal.h"

namespace scalelaw {

struct ProfileOptions {
  int64_t warmup_steps = 5;     // not profiled
  int64_t steps = 10;           // of device and graph steps rounded up to those between two looks
  std::filesystem::path trace;  // where to write a Chrome trace (about://tracing, Perfetto); empty:
                                // nowhere
};

struct OperatorTime {
  std::string name;  // of an operator or a kernel; a Function's backward ends in " (backward)"
  bool on_device = false;  // a GPU's kernel or copy
  double calls_a_step = 0;
  double self_seconds_a_step = 0;  // without what it calls
};

struct Profile {
  std::vector<OperatorTime> operators;  // most time first
  double step_seconds = 0;              // wall, profiler's own cost included
  double host_seconds = 0;              // of a step: the host is in an operator
  double device_seconds = 0;            // of a step: the GPU is in a kernel; 0 on a CPU
  double kernels_a_step = 0;            // of a GPU
};

// std::runtime_error where the trace could not be written whole.
Profile profile_steps(Rehearsal& rehearsal, const ProfileOptions& options);

// A table of the `rows` costliest and a line for the rest.
std::string to_text(const Profile& profile, std::size_t rows);

}  // namespace scalelaw
