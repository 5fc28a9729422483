#include "trainer/train_loop.h"

#include <exception>

namespace scalelaw {
namespace {

void observe(const std::vector<std::unique_ptr<Observer>>& observers, Pack& pack) {
  try {
    for (const auto& observer : observers) {
      if (observer->due(pack)) observer->observe(pack);
    }
  } catch (const std::exception&) {
    pack.save_before_leaving();
    throw;
  }
}

}  // namespace

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
    observe(observers, pack);
    pack.finish_members_at_horizon(stop);
  }
  return TrainOutcome::kFinished;
}

}  // namespace scalelaw
