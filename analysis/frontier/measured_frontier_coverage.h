// What was measured of intervals of the frontier that say 95% (docs/studies/frontier.md).
#pragma once

#include <string_view>

#include "analysis/frontier/approach.h"

namespace scalelaw {

// Goes beside such an interval where measured coverage lies outside .93 to .97 in some design; "":
// in all designs it lay inside.
std::string_view measured_coverage(ApproachKind kind);

}  // namespace scalelaw
