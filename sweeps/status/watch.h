// Follows a sweep from outside: any number of launchers, on any machine of the shared store.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <vector>

#include "sweeps/plan/plan.h"
#include "sweeps/status/cell_status.h"

namespace scalelaw {

struct WatchOptions {
  double every_seconds = 2;  // between two pages; more where one takes more than a tenth of it
  bool once = false;         // one page, all of it
};

// On a terminal a page that is drawn again and again until nothing is left that anybody will start,
// or a stop signal comes; then the terminal is as it was before, with the last page under it.
// Elsewhere one page. The exit code: 0 all has ended, or one page was asked for; 1 what is left has
// failed; 3 stopped before.
// `make_plan` is asked again when all that others wait for has ended.
int watch_sweep(const std::function<Plan()>& make_plan, const WatchOptions& options,
                std::ostream& out);

// Whether a sweep is over, by looking at it again and again.
class EndOfSweep {
 public:
  // kExitComplete once all has ended. kExitOther where all that is left has failed and nobody may
  // start it (CellLimits::too_large), or nobody has in five looks one after another: a launcher
  // tries again at once. Else nullopt.
  std::optional<int> look(const std::vector<CellStatus>& statuses);

 private:
  int looks_without_work_ = 0;
};

}  // namespace scalelaw
