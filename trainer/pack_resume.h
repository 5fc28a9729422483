// From which step a pack may go on; looks only, takes and changes nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/run_identity.h"
#include "trainer/run_record.h"

namespace scalelaw {

// Steps of which every folder has a checkpoint, newest first.
std::vector<int64_t> common_checkpoint_steps(const std::vector<RunFolder>& folders);

// ConfigError when these runs have been trained as another pack, or alone, and cannot be brought to
// one step: starting them all again would lose what they have.
void check_nothing_is_thrown_away(const std::vector<RunIdentity>& identities);

}  // namespace scalelaw
