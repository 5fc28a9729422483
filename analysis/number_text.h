// Numbers as the tables and sentences of the analysis print them.
#pragma once

#include <string>

namespace scalelaw {

std::string fixed(double value, int decimals);         // 0.104
std::string signed_fixed(double value, int decimals);  // +0.020
std::string percent(double share, int decimals);       // 1.8%
// A level or share without needless digits: 95%, 98.3%.
std::string level_text(double level);
std::string scientific(double value);                              // 3.1e+14, three digits
std::string interval_text(double low, double high, int decimals);  // [0.012, 0.028]
// "< 0.001", "0.03": two digits.
std::string p_text(double p);
std::string duration_text(double seconds);  // 42 s, 7.5 min, 2.1 h
// At most `characters` of UTF-8 text, the cut marked with an ellipsis.
std::string shortened(const std::string& text, std::size_t characters);

}  // namespace scalelaw
