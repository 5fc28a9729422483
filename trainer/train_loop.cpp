#include "trainer/train_loop.h"

#include <algorithm>
#include <exception>

#include "trainer/disk_space.h"
#include "trainer/parallel/rank_group.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

TrainOutcome train_to_the_end(Pack& pack, const std::vector<std::unique_ptr<Observer>>& observers,
                              const std::atomic<bool>& stop) {
  const auto observe = [&] {
    for (const auto& observer : observers) {
      if (observer->due(pack)) observer->observe(pack);
    }
  };
  const auto next_due = [&] {
    int64_t step = kNoStep;
    for (const auto& observer : observers) step = std::min(step, observer->next_due(pack));
    return step;
  };
  pack.end_diverged_members();           // resumed where that could not be recorded
  observe();                             // resumed where watching failed: the line that is missing
  pack.finish_members_at_horizon(stop);  // resumed after the last update, before run.json
  while (!pack.finished()) {
    if (pack.stop_agreed(stop)) {
      pack.advance_clock();
      pack.write_checkpoints();
      pack.close_costs("interrupted");
      return TrainOutcome::kInterrupted;
    }
    pack.check_leases();
    pack.train_towards(next_due());
    observe();
    pack.finish_members_at_horizon(stop);
  }
  return TrainOutcome::kFinished;
}

// What ends the process with exit 3.
bool goes_on(const std::exception& error) {
  return dynamic_cast<const DiskFull*>(&error) != nullptr ||
         dynamic_cast<const LostLease*>(&error) != nullptr ||
         dynamic_cast<const LostRank*>(&error) != nullptr;
}

}  // namespace

TrainOutcome train(Pack& pack, const std::vector<std::unique_ptr<Observer>>& observers,
                   const std::atomic<bool>& stop) {
  try {
    return train_to_the_end(pack, observers, stop);
  } catch (const std::exception& error) {
    pack.save_before_leaving();
    pack.close_costs(goes_on(error) ? "interrupted" : "failed");
    throw;
  }
}

}  // namespace scalelaw
