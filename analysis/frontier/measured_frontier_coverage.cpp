#include "analysis/frontier/measured_frontier_coverage.h"

namespace scalelaw {

std::string_view measured_coverage(ApproachKind kind) {
  switch (kind) {
    case ApproachKind::kParabola:
      return "of simulated 95% intervals .94 to 1.00 held a, .93 to 1.00 L*, and .00 to 1.00 N*, "
             "which the grid's width shifts: see it less its bias";
    case ApproachKind::kAkima:
    case ApproachKind::kAkimaLessBias:
      return "of simulated 95% intervals .95 to 1.00 held a and N*, .90 to 1.00 L*";
    case ApproachKind::kParabolaLessBias:
      return "of simulated 95% intervals .94 to 1.00 held a, .89 to 1.00 N*, .92 to 1.00 L*";
    case ApproachKind::kHuber:
      return "of simulated 95% intervals .91 to .99 held a, .90 to 1.00 N*, .91 to .98 L* (.35 at "
             "10 x the budgets where the true law has another form); of bootstraps of a .95 to "
             "1.00";
    case ApproachKind::kLeastSquaresLn:
    case ApproachKind::kVariableProjection:
      return "of simulated 95% intervals .91 to 1.00 held a and N*, .90 to 1.00 L* (none at 10 x "
             "the budgets where the true law has another form); of bootstraps of a .87 to .99";
    case ApproachKind::kOptima:
      return "how often its interval holds was not simulated";
    case ApproachKind::kEnvelope:
      break;
  }
  return "";
}

}  // namespace scalelaw
