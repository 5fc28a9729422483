// What a plan's cells keep of their checkpoints once they are complete: as each says itself
// (how.keep), else as the sweep's `keep` says.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "trainer/run_config.h"

namespace scalelaw {

class CellKeep {
 public:
  // What the file asks of the cell of this index, as it was written and resolved.
  void note(std::size_t cell, const FlatConfig& written, const RunConfig& resolved);
  // Of cells that merged what keeps most. `by_the_sweep`: for those that do not say.
  KeptCheckpoint of(std::size_t cell, KeptCheckpoint by_the_sweep) const;

 private:
  struct Asked {
    std::optional<KeptCheckpoint> own;
    bool is_left_to_the_sweep = false;
  };
  std::vector<Asked> asked_;
};

}  // namespace scalelaw
