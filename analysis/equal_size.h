// Losses of two arms at equal N, and of their largest runs window by window.
#pragma once

#include <optional>
#include <vector>

#include "analysis/compare.h"

namespace scalelaw {

// One entry a size of `a` inside the range of `b`, or within 3% of its end, where the arms do not
// share a run: a run is no comparison with itself. Sizes within 0.1% count as equal; elsewhere b's
// loss is taken along its slope between the two nearest sizes. `paired`: the arms' runs read the
// same windows of the test text.
std::vector<EqualSizeDifference> equal_size_differences(const ArmLaws& a, const ArmLaws& b,
                                                        bool paired);

// nullopt when the runs' window losses are not there, not of the same windows (text, tokens and
// context equal), too few for an error, or both arms have the same largest run.
std::optional<PairedWindows> paired_windows(const RunTable& table, const ArmLaws& a,
                                            const ArmLaws& b, const Selection& selection);

}  // namespace scalelaw
