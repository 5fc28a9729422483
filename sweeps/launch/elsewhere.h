// Cells of which another process has, or may have, the folder: of another launcher, perhaps on
// another machine, perhaps dead. They are watched while this launcher does other things, so that at
// the end nothing is left to somebody who is no more.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "trainer/run_lease.h"

namespace scalelaw {

inline constexpr double kSecondsToComeBack = 20;

class CellsElsewhere {
 public:
  // `plan` outlives it.
  explicit CellsElsewhere(const Plan& plan, double seconds_to_come_back = kSecondsToComeBack)
      : plan_(plan), seconds_to_come_back_(seconds_to_come_back) {}

  void add(std::size_t cell);
  bool watches(std::size_t cell) const { return watched_.contains(cell); }
  // Looks at their leases (trainer/run_lease.h) and ends the stale ones.
  void look();
  // The same, where the last look was a second or half a heartbeat ago.
  void look_now_and_then();
  // Those whose folders are free: that have a result, whose lease was stale or cannot be read, or
  // that have been so for seconds_to_come_back, in which a launcher whose process has ended, or was
  // killed, starts it again, on a GPU with fewer runs. They are forgotten here.
  std::vector<std::size_t> take_free();
  std::size_t held() const;    // those that a living process has
  bool may_come_back() const;  // some are free, and not for so long
  // A process of which it is not known yet whether it lives: "pid 4711 on node3"; "" without one.
  std::string in_doubt() const;

 private:
  struct Watched {
    LeaseWatch lease;
    LeaseState state = LeaseState::kUnknown;
    double free_since = 0;   // monotonic seconds; 0: it is not
    bool comes_back = true;  // whoever had it may: nobody saw it die
  };
  bool may_come_back(const Watched& watched) const;

  const Plan& plan_;
  double seconds_to_come_back_;
  std::map<std::size_t, Watched> watched_;
  double looked_at_ = 0, seconds_between_looks_ = 0;
};

}  // namespace scalelaw
