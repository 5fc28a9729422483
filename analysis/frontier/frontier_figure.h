// IsoFLOP curves with their parabolas and minima, and N*(C) with the lines of every approach.
#pragma once

#include "analysis/figures/figure.h"
#include "analysis/frontier/frontier.h"

namespace scalelaw {

Figure frontier_figure(const Frontier& frontier);

}  // namespace scalelaw
