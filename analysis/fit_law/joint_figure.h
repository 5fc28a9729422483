// Two constants together, as a figure.
#pragma once

#include "analysis/figures/figure.h"
#include "analysis/fit_law/law_text.h"

namespace scalelaw {

// A contour for each group that has one. The contour is there in at least one.
Figure joint_figure(const LawReport& report);

}  // namespace scalelaw
