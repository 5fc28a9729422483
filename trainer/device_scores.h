// Scores of one test split's windows whose every input lies on the device: the model is called for
// chunk after chunk, as a CUDA graph where one can be captured, and the host reads many chunks at
// once. Equal to LanguageModel::score() of each chunk, `==` on a CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "trainer/data/token_shard.h"
#include "trainer/step_graph.h"

namespace scalelaw {

class DeviceScores {
 public:
  // `starts`: of the windows that will ever be scored, in any order, in `shard`; all replicas read
  // the same. The model outlives it.
  DeviceScores(const LanguageModel& model, int64_t replicas, at::Device device,
               const TokenShard& shard, std::vector<int64_t> starts, int64_t chunk_windows);

  // There are more chunks than a capture itself runs or records.
  bool capture_pays() const;
  // Why the chunks cannot be a CUDA graph, in one line, and then score() goes on without; "" when
  // it was captured.
  std::string capture();
  bool captured() const { return graph_ != nullptr; }

  static constexpr int64_t kChunks = 16;  // between two looks of the host
  // Some of the windows -> (R, windows, T) on the CPU, float64 and bool.
  TokenScores score(std::span<const int64_t> starts);

 private:
  TokenScores score_at_once(std::span<const int64_t> starts);
  void chunk();  // the one of counter_; what is captured

  const LanguageModel& model_;
  int64_t replicas_, chunk_windows_;
  std::vector<int64_t> starts_;  // ascending
  at::Tensor windows_;           // (starts, T + 1) int32
  at::Tensor rows_;              // (K, B) int64: of windows_
  at::Tensor loss_nats_;         // (K, R, B, T) float32
  at::Tensor correct_;           // the same, bool
  at::Tensor counter_;           // (1) int64: chunks done
  std::unique_ptr<StepGraph> graph_;
};

}  // namespace scalelaw
