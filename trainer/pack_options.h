// Where and how a pack trains (trainer/pack.h).
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "trainer/attempt_cost.h"
#include "trainer/parallel/rank_group.h"
#include "trainer/run_record.h"

namespace scalelaw {

struct PackOptions {
  std::filesystem::path runs = "runs";  // the store
  std::filesystem::path data = "data";  // where data sets lie
  at::Device device{at::kCPU};
  double memory_bytes = 0;          // that a step may fill; 0: device_memory_bytes(device)
  int64_t most_tokens_at_once = 0;  // of a batch, as far as it has so small parts; 0: any number
  Company company;                  // that cost files note
  Provenance provenance;            // how the step is computed is filled in by the pack
  std::function<void(const std::string&)> note;  // one line for the log; never empty
  // The processes that share the run's batches. Rank 0 alone writes; the others need the data sets,
  // not the store. More than one only where there is one configuration.
  std::shared_ptr<RankGroup> ranks = alone();
};

}  // namespace scalelaw
