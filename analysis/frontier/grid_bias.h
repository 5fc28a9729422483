// What approaches 1 and 2 would have found on the very same runs had the fitted surface been the
// truth and nothing noisy: their bias on this grid, which a wide or drifting grid gives them.
#pragma once

#include "analysis/frontier/frontier.h"

namespace scalelaw {

// Sets bias and level_bias of approaches 1 and 2, and adds those of approach 2 less it. Nothing
// where no surface stands.
void find_biases(Frontier& frontier);

}  // namespace scalelaw
