// The compute-equivalent gain in words.
#pragma once

#include <string>

#include "analysis/compare.h"

namespace scalelaw {

// "1.8 [1.6, 2]", "at least 1.3", "at most 0.7", "not determined"; with "beyond its runs" where the
// estimate is.
std::string gain_text(const GainSet& set);

// Whether the parabolas' gains are those to tell: an arm bends over this scale, and they are there.
bool follows_bends(const EquivalentGains& gains, double significance);

// How much compute arm a needs for arm b's losses, of Comparison::compute_gains; "" where there are
// no lines. Who bends is judged at `significance`.
std::string compute_gain_sentence(const Comparison& comparison, const Selection& selection,
                                  double significance);

}  // namespace scalelaw
