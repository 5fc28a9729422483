// What packs and pieces of a sweep were too large.
#include "sweeps/status/cell_limits.h"

#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const SweepFolder folder{scratch_folder()};
  std::filesystem::remove_all(folder.limits());  // with what was noted here of the bytes before
  scratch_file("limits/another.jsonl", bytes);
  Plan plan;
  plan.cells.resize(1);
  const SweepLimits limits = read_limits(folder);
  for (const auto& [hash, each] : limits) {
    require(each.most_together > 0 && each.most_tokens_at_once >= 0, "a limit leaves something");
  }
  if (limits.empty()) return;
  plan.cells[0].content_hash = limits.begin()->first;
  append_limits(folder, plan, {0}, {1, 1});
  const CellLimits narrow = limits_of(read_limits(folder), plan.cells[0]);
  require(narrow.most_together == 1 && narrow.most_tokens_at_once == 1,
          "of two limits the narrower holds");
  require(narrow.too_large == limits.begin()->second.too_large, "and nothing is too large by it");
  forget_limits(folder, plan, {0});
  require(limits_of(read_limits(folder), plan.cells[0]) == CellLimits{}, "and is forgotten");
}

}  // namespace scalelaw
