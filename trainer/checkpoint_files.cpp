#include "trainer/checkpoint_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "trainer/json_text.h"
#include "trainer/safetensors.h"

namespace scalelaw {

namespace fs = std::filesystem;

fs::path checkpoint_file(const RunFolder& folder, int64_t step) {
  char name[64];
  std::snprintf(name, sizeof name, "step-%012lld.safetensors", static_cast<long long>(step));
  return folder.checkpoints() / name;
}

std::vector<int64_t> checkpoint_steps(const RunFolder& folder) {
  constexpr std::string_view kPrefix = "step-";
  std::vector<int64_t> steps;
  if (!fs::exists(folder.checkpoints())) return steps;
  for (const auto& entry : fs::directory_iterator(folder.checkpoints())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    int64_t step = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), step);
    if (entry.path() == checkpoint_file(folder, step)) steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end(), std::greater<>());
  return steps;
}

std::vector<std::string> checkpoint_pack(const RunFolder& folder) {
  const std::vector<int64_t> steps = checkpoint_steps(folder);
  if (steps.empty()) return {};
  const fs::path file = checkpoint_file(folder, steps.front());
  const auto metadata = read_safetensors_metadata(file);
  try {
    return parse_json(metadata.at("cursor")).at("pack").get<std::vector<std::string>>();
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + ": tells of no pack: " + error.what());
  }
}

}  // namespace scalelaw
