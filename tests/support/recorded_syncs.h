// What a program forces to the disk: no test can cut the power, but it can see that nothing that
// must survive a cut is left to chance. Linked in, it stands in for the C library's fsync.
#pragma once

#include <filesystem>
#include <vector>

namespace scalelaw {

// The paths that fsync was called for since the last call, in order; each was synced indeed.
std::vector<std::filesystem::path> take_recorded_syncs();

// The next `count` calls of fsync fail with `error` instead.
void fail_next_syncs(int count, int error);
// Each call for this file fails with `error`, until another file, or none (""), is named.
void fail_syncs_of(const std::filesystem::path& file, int error);

}  // namespace scalelaw
