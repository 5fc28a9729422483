#pragma once

namespace scalelaw {

struct Interval {
  double low = 0, high = 0;
  bool contains(double value) const { return low <= value && value <= high; }
};

}  // namespace scalelaw
