// What this machine says of its NVIDIA GPUs, without CUDA: files, the environment, no library.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace scalelaw {

// The CUDA 13.0 that LibTorch 2.11 is built with runs on this driver or a newer one.
inline constexpr int kDriverNeeded = 580;

struct GpuProbe {
  int gpus = 0;                // /dev/nvidia0, /dev/nvidia1, …
  std::string driver_version;  // "580.65.06"; empty: no driver is loaded
  std::string allocation;      // what gave this process GPUs: "SLURM_JOB_GPUS=2,3"; empty: nothing
  std::string hidden_by;       // "CUDA_VISIBLE_DEVICES=-1": asked for none; empty: not hidden

  bool present() const { return gpus > 0 || !allocation.empty(); }
  // The scheduler gave this job GPUs and this process none of them: somebody pays for what stands
  // idle. -1 is no scheduler's word but a person's, who wants the CPU.
  bool hidden_though_allotted() const { return !hidden_by.empty() && !allocation.empty(); }
  bool driver_is_new_enough() const;
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> environment_variable(const std::string& name);

// `root` and `environment` are replaced in tests.
GpuProbe probe_gpus(const std::filesystem::path& root = "/",
                    const Environment& environment = environment_variable);

// "NVIDIA H100 80GB HBM3": the model of the GPU that a process sees with CUDA_VISIBLE_DEVICES
// `visible` ("": as it is), by the driver's files. "" where they are not there, several models are
// and it is not named by its UUID, or that or NVIDIA_VISIBLE_DEVICES names a slice of a GPU (MIG).
std::string gpu_model(std::string visible, const std::filesystem::path& root = "/",
                      const Environment& environment = environment_variable);

}  // namespace scalelaw
