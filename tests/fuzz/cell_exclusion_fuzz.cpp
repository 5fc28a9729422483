// RUNS/sweeps/NAME.excluded/HASH.json
#include "tests/fuzz/fuzz_target.h"
#include "trainer/cell_exclusion.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  const std::string hash(32, 'a');
  scratch_file("sweeps/s.excluded/" + hash + ".json", bytes);
  const StoreExclusions all = exclusions_of_store(scratch_folder());
  require(all.size() == 1 && all.contains(hash), "a damaged file excludes too");
  require(!in_words(all.at(hash)).empty(), "and says why");
  const CellExclusion exclusion = exclusion_from_json(bytes);
  require(exclusion_from_json(to_json(exclusion)) == exclusion,
          "an exclusion that was written reads back the same");
}

}  // namespace scalelaw
