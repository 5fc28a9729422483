#include "trainer/train_loop.h"

namespace scalelaw {

TrainOutcome train(Pack& pack, const std::vector<std::unique_ptr<Observer>>& observers,
                   const std::atomic<bool>& stop) {
  pack.finish_members_at_horizon(stop);  // resumed after the last update, before run.json
  while (!pack.finished()) {
    if (stop) {
      pack.advance_clock();
      pack.write_checkpoints();
      return TrainOutcome::kInterrupted;
    }
    pack.train_one_step();
    for (const auto& observer : observers) {
      if (observer->due(pack)) observer->observe(pack);
    }
    pack.finish_members_at_horizon(stop);
  }
  return TrainOutcome::kFinished;
}

}  // namespace scalelaw
