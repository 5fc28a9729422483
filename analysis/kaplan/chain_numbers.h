// Numbers of the chain in words: what text and JSON of it share.
#pragma once

#include <string>

#include "analysis/kaplan/chain.h"

namespace scalelaw {

// "adjusted_loss_exponent".
std::string name(ChainNumber number);

// "0.052 [0.050, 0.054]"; "-" where it does not stand.
std::string number_text(const Chain& chain, ChainNumber which, int decimals);
// Of a number that is ln x: x / unit with its interval.
std::string scale_text(const Chain& chain, ChainNumber which, double unit);

}  // namespace scalelaw
