#include "trainer/checkpoint_files.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

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

}  // namespace scalelaw
