// `scalelaw doctor`: what works on this machine, what does not, and what to do about it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/gpu_probe.h"

namespace scalelaw {

struct DoctorOptions {
  std::filesystem::path runs = "runs", data = "data";
  std::filesystem::path programs;  // the folder of the scalelaw programs
  std::filesystem::path torch;     // LibTorch's folder, as built with; empty: built without
  std::string torch_version;       // of the headers built with
};

enum class Health {
  kGood,
  kLimited,  // something will not work; training, fitting and reporting will
  kBroken,   // a sweep cannot run here
};

struct Finding {
  std::string subject;  // "cores", "GPU"
  Health health = Health::kGood;
  std::string found;
  std::string advice;  // what to do; empty when good
};

// Starts each program once (with --help), opens each data set without reading its tokens; writes
// nothing.
std::vector<Finding> examine(const DoctorOptions& options);

// One subject each, their inputs given, for examine() and for tests.
Finding examine_gpu(const GpuProbe& probe, bool cuda_half_installed);
Finding examine_profiles(const Environment& environment);
Finding examine_disk(const std::filesystem::path& folder, double free_bytes, double free_inodes);

std::string to_text(const std::vector<Finding>& findings);
std::string to_json(const std::vector<Finding>& findings);
bool can_run_sweeps(const std::vector<Finding>& findings);

}  // namespace scalelaw
