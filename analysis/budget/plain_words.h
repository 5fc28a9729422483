// Numbers as a manager reads them: two digits, and words for powers of ten.
#pragma once

#include <optional>
#include <string>

#include "analysis/fitting/interval.h"

namespace scalelaw {

std::string in_whole_words(double value);  // every digit before the point: "64,000"
std::string in_plain_words(double value);  // "21 billion", "1.3 trillion", "4,000", "0.5"
// "15 to 24 billion", "900 million to 1.2 billion".
std::string range_in_words(const Interval& range);
// "about 21 billion tokens (15 to 24 billion)"; without a band "about 21 billion tokens".
std::string about(double value, const std::string& noun, const std::optional<Interval>& band);
// "2.05 (2.02 to 2.08)": as many decimals as the band asks for.
std::string loss_in_words(double loss, const std::optional<Interval>& band);
std::string flops_in_words(double flops);   // "3.2e22 FLOPs"
std::string time_in_words(double seconds);  // "40 minutes", "30 days", "2.3 years"
std::string times_in_words(double factor);  // "4.4 times", "96 times", "12,000 times"

}  // namespace scalelaw
