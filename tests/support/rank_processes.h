// A group of ranks, each a process of its own, in a test.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <vector>

#include "trainer/parallel/rank_group.h"

namespace scalelaw {

// Forks `size` processes that join a group, through a file in `folder`, and call `body`. What goes
// wrong in one, an EXPECT included, is said on stderr. Returns how each ended: 0, or 1 where
// something went wrong, 128 + N where signal N ended it.
std::vector<int> run_ranks(int size, const std::filesystem::path& folder,
                           const std::function<void(RankGroup&)>& body);

}  // namespace scalelaw
