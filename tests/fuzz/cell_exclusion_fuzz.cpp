// RUNS/sweeps/NAME.excluded/HASH.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/cell_exclusion.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const std::string hash(32, 'a');
  scratch_file("sweeps/s.excluded/" + hash + ".json", bytes);
  static const bool is_recorded = [&] {
    SweepRecord record;
    record.name = "s";
    record.spec_file = "s.yaml";
    record.spec_hash = hash;
    record.cells = {{.content_hash = hash, .folder = "run", .places = {{"", ""}}}};
    write_sweep_record(sweep_record_file(scratch_folder(), "s"), record);
    return true;
  }();
  require(is_recorded, "the sweep has its record");
  const StoreExclusions all = exclusions_of_store(scratch_folder());
  require(all.size() == 1 && all.contains(hash), "a damaged file excludes too");
  require(!in_words(all.at(hash)).empty(), "and says why");
  const CellExclusion exclusion = exclusion_from_json(bytes);
  require(exclusion_from_json(to_json(exclusion)) == exclusion,
          "an exclusion that was written reads back the same");
}

}  // namespace scalelaw
