// The loop, readable top to bottom. What happens besides training is in the observers.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "trainer/observers.h"
#include "trainer/pack.h"

namespace scalelaw {

enum class TrainOutcome { kFinished, kInterrupted };

// Trains until every member has ended, or `stop` becomes true: then a checkpoint is written and the
// same command goes on from there.
TrainOutcome train(Pack& pack, const std::vector<std::unique_ptr<Observer>>& observers,
                   const std::atomic<bool>& stop);

}  // namespace scalelaw
