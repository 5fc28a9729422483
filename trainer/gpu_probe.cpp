#include "trainer/gpu_probe.h"

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace scalelaw {
namespace {

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int count_device_files(const std::filesystem::path& folder) {
  static const std::regex device("nvidia[0-9]+");
  std::error_code ignored;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    count += std::regex_match(entry.path().filename().string(), device) ? 1 : 0;
  }
  return count;
}

std::string find_driver_version(const std::filesystem::path& root) {
  static const std::regex version(R"(\b([0-9]{3,}\.[0-9]+(\.[0-9]+)?)\b)");
  for (const char* file : {"sys/module/nvidia/version", "proc/driver/nvidia/version"}) {
    const std::string text = content_of(root / file);
    std::smatch match;
    if (std::regex_search(text, match, version)) return match[1];
  }
  return "";
}

constexpr const char* kVisible = "CUDA_VISIBLE_DEVICES";

// "SLURM_JOB_GPUS=2,3"; "" where nothing gives this process GPUs. `last`: a variable to ask too.
std::string allocation_in(const Environment& environment, const std::string& last) {
  for (const std::string name :
       {"SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS_ON_NODE", last.c_str()}) {
    const auto value = name.empty() ? std::nullopt : environment(name);
    if (!value || value->empty() || (name == "SLURM_GPUS_ON_NODE" && *value == "0")) continue;
    return name + "=" + *value;
  }
  return "";
}

// Of a line "KEY: value"; "" without one.
std::string value_of(const std::string& text, const std::string& key) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(key + ":")) continue;
    const std::size_t first = line.find_first_not_of(" \t", key.size() + 1);
    if (first == std::string::npos) return "";
    return line.substr(first, line.find_last_not_of(" \t\r") + 1 - first);
  }
  return "";
}

// Whether a list of GPUs names a part of one (MIG): "MIG-77aa", or, in a container's word for what
// it was given, "0:1".
bool names_a_slice(const std::string& list) {
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    if (name.starts_with("MIG") || name.find(':') != std::string::npos) return true;
  }
  return false;
}

}  // namespace

bool GpuProbe::driver_is_new_enough() const {
  return std::atoi(driver_version.c_str()) >= kDriverNeeded;
}

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

GpuProbe probe_gpus(const std::filesystem::path& root, const Environment& environment) {
  GpuProbe probe;
  probe.gpus = count_device_files(root / "dev");
  probe.driver_version = find_driver_version(root);
  const auto visible = environment(kVisible);
  if (visible && (visible->empty() || *visible == "-1" || *visible == "NoDevFiles")) {
    probe.hidden_by = kVisible + ("=" + *visible);
    if (*visible != "-1") probe.allocation = allocation_in(environment, {});
    return probe;
  }
  probe.allocation = allocation_in(environment, kVisible);
  return probe;
}

std::string gpu_model(std::string visible, const std::filesystem::path& root,
                      const Environment& environment) {
  if (visible.empty()) visible = environment(kVisible).value_or("");
  const std::string given_to_container = environment("NVIDIA_VISIBLE_DEVICES").value_or("");
  if (names_a_slice(visible) || names_a_slice(given_to_container)) return "";
  const bool by_uuid = visible.starts_with("GPU-");
  std::set<std::string> models;
  std::error_code ignored;
  for (const auto& entry :
       std::filesystem::directory_iterator(root / "proc/driver/nvidia/gpus", ignored)) {
    const std::string text = content_of(entry.path() / "information");
    // A UUID may be shortened.
    if (by_uuid && !value_of(text, "GPU UUID").starts_with(visible)) continue;
    models.insert(value_of(text, "Model"));
  }
  return models.size() == 1 ? *models.begin() : "";
}

}  // namespace scalelaw
