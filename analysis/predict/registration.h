// Predictions written down before the runs that they predict.
#pragma once

#include <string>
#include <vector>

#include "analysis/predict/held_out.h"

namespace scalelaw {

// Publishes each prediction whose name is not registered yet, as of now, and sets its registered_at
// in `found`; those that are registered stand, and become what was registered. Returns a sentence
// for each of these. ConfigError, writing nothing: another test
// set than the sweep's file says, all are registered, cells of the sweep have not
// ended (but if `incomplete`), or a cell of one that is not registered has begun, since of what is
// known already there is no prediction.
std::vector<std::string> register_predictions(HeldOutPredictions& found, bool incomplete = false);

// A sentence for each prediction of the store that has another name and predicts one of these
// cells, and for each file that cannot be read.
std::vector<std::string> others_of_the_same(const HeldOutPredictions& found);

}  // namespace scalelaw
