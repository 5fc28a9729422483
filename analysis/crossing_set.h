// The set of scales that a t test leaves open (Fieller 1954).
#pragma once

namespace scalelaw {

// Sizes at which the two fitted lines cross: the set that the level does not reject.
struct CrossingSet {
  enum class Kind {
    kNone,        // no lines
    kInterval,    // [low, high]
    kLeftRay,     // everything up to high
    kRightRay,    // everything from low
    kTwoRays,     // everything but (low, high): the slopes are not told apart
    kEverywhere,  // any N
  };
  Kind kind = Kind::kNone;
  double estimate = 0;  // N at which the fitted lines cross
  double low = 0, high = 0;
  bool estimate_measured = false;  // inside the range of N that both arms cover (shared_low, _high)
  bool set_measured = false;       // the whole set is
};

}  // namespace scalelaw
