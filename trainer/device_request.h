// What `--device auto|cpu|cuda` asks of this machine, told before CUDA is touched. No LibTorch.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/gpu_probe.h"

namespace scalelaw {

// Whether a GPU is to be used. auto: where one is here or allotted to this job and none hides it.
// ConfigError for another word, for cuda where there is no GPU or all are hidden, and for auto
// where they are hidden from this process of a job that has some.
bool gpu_is_asked_for(std::string_view request, const GpuProbe& probe);

// "2 GPU(s) in /dev; driver found: 580.65.06, driver needed: 580 or newer"
std::string describe(const GpuProbe& probe);

// What CUDA_VISIBLE_DEVICES must be for a process that is to see one GPU alone, for each of those
// that this process sees; {""}, the variable as it is, where that is one or nothing says how many.
std::vector<std::string> single_gpus(const GpuProbe& probe,
                                     const Environment& environment = environment_variable);

}  // namespace scalelaw
