#include "sweeps/plan/cell_keep.h"

#include <algorithm>

namespace scalelaw {

void CellKeep::note(std::size_t cell, const FlatConfig& written, const RunConfig& resolved) {
  if (cell >= asked_.size()) asked_.resize(cell + 1);
  Asked& asked = asked_[cell];
  if (written.contains("how.keep")) {
    asked.own = std::min(asked.own.value_or(KeptCheckpoint::kNone), resolved.how.keep);
  } else {
    asked.is_left_to_the_sweep = true;
  }
}

KeptCheckpoint CellKeep::of(std::size_t cell, KeptCheckpoint by_the_sweep) const {
  const Asked& asked = asked_.at(cell);
  const KeptCheckpoint own = asked.own.value_or(KeptCheckpoint::kNone);
  return asked.is_left_to_the_sweep ? std::min(own, by_the_sweep) : own;
}

}  // namespace scalelaw
