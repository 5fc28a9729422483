// The sizes on which two arms can be compared. Where a power law bends, slopes over different
// ranges differ without a difference between the arms; so each is fitted anew on those of its sizes
// that the other's range covers too.
#pragma once

#include <string>
#include <vector>

#include "analysis/compare.h"

namespace scalelaw {

// The range that both arms cover is widened by this factor at each end, so that ladders whose ends
// nearly meet (154k and 166k) keep them.
inline constexpr double kRangeMargin = 1.1;

struct CommonSizes {
  // Cells, windows, noise and line only. Weighed anew where sizes were left out; else the arms'
  // own.
  ArmLaws a, b;
  double shared_low = 0, shared_high = 0;  // the range of N that both cover
  std::vector<LeftOutSize> left_out;
  std::string why;  // why no lines can be set side by side; "": they can
};

// Both arms have a cell. `level`: of the lines' intervals.
CommonSizes common_sizes(const ArmLaws& a, const ArmLaws& b, double level);

}  // namespace scalelaw
