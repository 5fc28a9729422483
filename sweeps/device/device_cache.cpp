#include "sweeps/device/device_cache.h"

#include <algorithm>
#include <cctype>
#include <exception>
#include <fstream>
#include <system_error>
#include <utility>

#include "sweeps/device/calibrated_device.h"
#include "trainer/atomic_file.h"
#include "trainer/enum_text.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

}  // namespace

bool same_step(const MeasuredStep& a, const MeasuredStep& b) {
  return canonical(a.shape) == canonical(b.shape) && a.batch_tokens == b.batch_tokens &&
         a.precision == b.precision && a.packing == b.packing;
}

std::optional<fs::path> device_cache_folder(const Environment& environment) {
  const std::pair<const char*, const char*> places[] = {{"XDG_CACHE_HOME", ""}, {"HOME", ".cache"}};
  for (const auto& [variable, below] : places) {
    const fs::path folder = environment(variable).value_or("");
    if (folder.is_absolute()) return folder / below / "scalelaw" / "devices";
  }
  return std::nullopt;
}

std::string cpu_name(int cores, const fs::path& cpu_info) {
  std::string name = "CPU";
  std::ifstream file(cpu_info);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == std::string::npos) continue;
    name = line.substr(colon + 2);
    break;
  }
  return name + ", " + std::to_string(cores) + (cores == 1 ? " core" : " cores");
}

fs::path device_cache_file(const fs::path& folder, const std::string& device) {
  constexpr std::size_t kMostBytes = 200;  // of a name; 255 with .yaml and a draft's beginning
  std::string name;
  for (const char c : device.substr(0, kMostBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_word = byte < 0x80 && std::isalnum(byte) != 0;
    if (is_word) name += static_cast<char>(std::tolower(byte));
    if (!is_word && !name.empty() && name.back() != '_') name += '_';
  }
  return folder / (name + ".yaml");
}

CachedDevice read_cached_device(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return {};  // a folder that may not be looked into holds none
  try {
    return {read_device_file(file), ""};
  } catch (const std::exception& fault) {
    return {std::nullopt, fault.what()};
  }
}

DeviceFile merged(const std::optional<DeviceFile>& before, DeviceFile measured) {
  if (!before || before->kind != measured.kind) return measured;
  std::vector<MeasuredStep> rows;
  for (const MeasuredStep& old : before->rows) {
    if (std::ranges::none_of(measured.rows,
                             [&](const MeasuredStep& row) { return same_step(row, old); })) {
      rows.push_back(old);
    }
  }
  rows.insert(rows.end(), measured.rows.begin(), measured.rows.end());
  if (rows.size() > kMostCachedRows) {
    rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(kMostCachedRows));
  }
  measured.rows = std::move(rows);
  if (measured.start_seconds == 0) measured.start_seconds = before->start_seconds;
  return measured;
}

std::string write_cached_device(const fs::path& file, const DeviceFile& device) {
  try {
    create_folders(file.parent_path());
    const BenchWay way = bench_way(device.kind);
    write_atomically(file,
                     "# By `scalelaw sweep plan --calibrate`; a cache, which may be removed at any "
                     "time.\nclock: " +
                         std::string(way.clock) + ", median\nstep: " +
                         std::string(enum_text(way.step)) + "\n" + to_yaml(device));
  } catch (const std::exception& fault) {
    return fault.what();
  }
  return "";
}

}  // namespace scalelaw
