// Losses on test windows: the same windows for every run with the same n_ctx, read without
// touching training's order or random numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "models/language_model.h"
#include "trainer/data/token_shard.h"
#include "trainer/device_scores.h"
#include "trainer/parallel/rank_group.h"
#include "trainer/run_record.h"

namespace scalelaw {

// Where a model is evaluated. The ranks of a group share the chunks of windows among them; what
// they return is equal on all ranks, to the bit that of one process by itself.
struct Evaluator {
  const LanguageModel& model;
  int64_t replicas;
  at::Device device;
  RankGroup& ranks;
  DeviceScores* on_device = nullptr;  // what scores the windows of the set in question, if alone
};

// A test split as an evaluation reads it.
struct TestSet {
  std::string name;
  TokenShard shard;
  int64_t final_tokens = 0;  // of the final evaluation
};

struct WindowScores {
  std::vector<float> window_loss_nats;  // mean of each window, in the order of the split
  TestResult result;
};

// What scores the windows of `set` on the device: those of its final evaluation, and of evaluations
// of `tokens` unless that is 0.
std::unique_ptr<DeviceScores> make_device_scores(const Evaluator& evaluator, const TestSet& set,
                                                 int64_t tokens);

// Mean loss of every replica over evaluation_starts(…, tokens). Cheap: no positions, no windows.
std::vector<double> mean_test_loss(const Evaluator& evaluator, const TestSet& set, int64_t tokens);

// The whole final evaluation, one WindowScores a replica; none when `stop` was set meanwhile, on
// any rank.
// Positions are binned in powers of two: 0, 1, 2-3, 4-7, …; standard errors are over windows.
std::vector<WindowScores> score_test_set(const Evaluator& evaluator, const TestSet& set,
                                         const std::atomic<bool>& stop);

// [first, last] of those bins for windows of n_ctx tokens.
std::vector<std::pair<int64_t, int64_t>> position_bins(int64_t n_ctx);

}  // namespace scalelaw
