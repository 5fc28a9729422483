// Which registered predictions belong to a sweep.
#pragma once

#include <algorithm>

#include "trainer/prediction.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

// Those that its held-out cells name, those that it registered and those that predict one of its
// held-out cells: what `scalelaw predict --score` shows of its record.
inline bool is_of_sweep(const Prediction& prediction, const SweepRecord& sweep) {
  return prediction.sweep == sweep.name ||
         std::ranges::any_of(sweep.cells, [&](const SweepCell& cell) {
           return cell.hold_out && (cell.hold_out->prediction == prediction.name ||
                                    prediction.find(cell.content_hash) != nullptr);
         });
}

}  // namespace scalelaw
