// All that a run is but its learning rate and seeds: what is compared when a rate is chosen.
#pragma once

#include <string>

#include "trainer/run_identity.h"

namespace scalelaw {

// Equal where content hashes would be at one rate and equal seeds, however it is written: 32 hex
// digits. KeyError as identify().
std::string recipe_of(RunConfig config, DataSetHeaders& data);

}  // namespace scalelaw
