#include "trainer/device_request.h"

#include <sstream>

#include "trainer/config_error.h"

namespace scalelaw {

bool gpu_is_asked_for(std::string_view request, const GpuProbe& probe) {
  if (request != "auto" && request != "cpu" && request != "cuda") {
    throw ConfigError("--device " + std::string(request) + ": must be auto, cpu or cuda");
  }
  if (request == "auto" && probe.hidden_though_allotted()) {
    throw ConfigError("--device auto: this job has GPUs (" + probe.allocation + ") and " +
                      probe.hidden_by +
                      " hides them from this process; give its step GPUs (srun --gpus=1), or ask "
                      "for the CPU by --device cpu or CUDA_VISIBLE_DEVICES=-1");
  }
  const bool can_be_had = probe.present() && probe.hidden_by.empty();
  if (request == "cpu" || (request == "auto" && !can_be_had)) return false;
  if (!probe.hidden_by.empty()) {
    throw ConfigError("--device cuda: " + probe.hidden_by + " hides every GPU; unset it");
  }
  if (!probe.present()) {
    throw ConfigError("--device cuda: no GPU is here (" + describe(probe) + "); use --device cpu");
  }
  return true;
}

std::string describe(const GpuProbe& probe) {
  std::string text =
      probe.gpus > 0 ? std::to_string(probe.gpus) + " GPU(s) in /dev" : "no GPU in /dev";
  if (!probe.allocation.empty()) text += ", " + probe.allocation;
  text += "; driver found: " + (probe.driver_version.empty() ? "none" : probe.driver_version) +
          ", driver needed: " + std::to_string(kDriverNeeded) + " or newer";
  return text;
}

std::vector<std::string> single_gpus(const GpuProbe& probe, const Environment& environment) {
  std::vector<std::string> gpus;
  if (const auto visible = environment("CUDA_VISIBLE_DEVICES"); visible && !visible->empty()) {
    std::istringstream names(*visible);
    // CUDA does not look beyond one that cannot be.
    for (std::string name; std::getline(names, name, ',') && !name.starts_with('-');) {
      gpus.push_back(name);
    }
  } else {
    for (int i = 0; i < probe.gpus; ++i) gpus.push_back(std::to_string(i));
  }
  return gpus.size() > 1 ? gpus : std::vector<std::string>{""};
}

}  // namespace scalelaw
