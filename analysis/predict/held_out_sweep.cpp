#include "analysis/predict/held_out_sweep.h"

#include <algorithm>

#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 6;

std::string in_words(const std::vector<std::string>& unended, int64_t waiting) {
  std::string words;
  if (!unended.empty()) {
    words = std::to_string(unended.size()) +
            (unended.size() == 1 ? " cell has no result yet: " : " cells have no result yet: ");
    for (std::size_t i = 0; i < std::min(unended.size(), kMostNamed); ++i) {
      words += (i == 0 ? "" : ", ") + unended[i];
    }
    if (unended.size() > kMostNamed) words += ", …";
  }
  if (waiting == 0) return words;
  return words + (words.empty() ? "" : "; ") + std::to_string(waiting) +
         (waiting == 1 ? " cell waits" : " cells wait") + " for what trials tell";
}

}  // namespace

fs::path store_of_record(const fs::path& record_file) {
  return fs::absolute(record_file).parent_path().parent_path();
}

std::vector<std::string> HeldOutSweep::names() const {
  std::vector<std::string> names;
  const auto add = [&](const SweepCell& cell) {
    if (std::ranges::find(names, cell.hold_out->prediction) == names.end()) {
      names.push_back(cell.hold_out->prediction);
    }
  };
  for (const SweepCell& cell : cells) add(cell);
  for (const auto& [cell, reason] : excluded) add(cell);
  return names;
}

HeldOutSweep read_held_out_cells(const fs::path& record_file) {
  if (!fs::is_regular_file(record_file)) {
    throw ConfigError(record_file.string() +
                      ": no such file; give a sweep's record (RUNS/sweeps/NAME.json)");
  }
  SweepRecord sweep;
  try {
    sweep = read_sweep_record(record_file);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  HeldOutSweep out{sweep.name, {}, {}, "", {}};
  const fs::path store = store_of_record(record_file);
  std::vector<std::string> unended;
  for (SweepCell& cell : sweep.cells) {
    const auto excluded = exclusion_reason(record_file, cell.content_hash);
    if (!cell.recipe.empty()) out.recipes.emplace(cell.content_hash, cell.recipe);
    if (!cell.hold_out) {
      if (!excluded && !fs::exists(RunFolder{store / cell.folder}.record())) {
        unended.push_back(cell.folder);
      }
    } else if (excluded) {
      out.excluded.emplace_back(std::move(cell), *excluded);
    } else {
      out.cells.push_back(std::move(cell));
    }
  }
  out.unended = in_words(unended, sweep.waiting);
  return out;
}

}  // namespace scalelaw
