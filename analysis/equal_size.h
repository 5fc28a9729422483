// Losses of two arms at equal N, and of their largest runs window by window.
#pragma once

#include <optional>
#include <vector>

#include "analysis/compare.h"

namespace scalelaw {

// One entry a size of `a` inside the range of `b`. Sizes within 3% count as equal.
std::vector<EqualSizeDifference> equal_size_differences(const ArmLaws& a, const ArmLaws& b,
                                                        const SeedNoise& noise);

// nullopt when the runs' window losses are not there or not of the same windows.
std::optional<PairedWindows> paired_windows(const RunTable& table, const ArmLaws& a,
                                            const ArmLaws& b, const Selection& selection);

}  // namespace scalelaw
