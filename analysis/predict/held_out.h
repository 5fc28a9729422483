// The held-out cells of a sweep and what the runs that are complete say of their final losses.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/run_table.h"
#include "trainer/prediction.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

struct HeldOutPredictions {
  std::filesystem::path store;          // RUNS of RUNS/sweeps/NAME.json
  std::vector<Prediction> predictions;  // one a name, in the record's order; not registered
  std::vector<std::string> warnings;    // sentences for people
  // Cells of the sweep that are neither held out nor excluded and have no result yet: a later
  // prediction would know more. In words; "": none.
  std::string unended;
  std::string own_test_set;  // of hold_out, where the selection asks for another; "": it does not
};

// No held-out run is read, complete or not, and those that are excluded are not predicted. Of each
// cell's arm, the first of its places, the runs of its own D give the law where there are five
// sizes of them or more, else those of its own D / N, else all of them L(N, D); where all of these
// leave one degree of freedom or less, the one that leaves most (run_prediction.h). ConfigError: a
// record that cannot be read or holds nothing out, and a cell that no law can predict, with what is
// missing.
HeldOutPredictions predict_held_out(const std::filesystem::path& record_file,
                                    const Selection& selection, double level = 0.95);

}  // namespace scalelaw
