#include "analysis/laws/law.h"

#include <cmath>

namespace scalelaw {

double Law::term(int k, double exponent, CentredScale at) const {
  return std::exp(exponent * term_log_slope(k, at));
}

}  // namespace scalelaw
