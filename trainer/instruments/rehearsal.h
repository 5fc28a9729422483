// A model that trains on random tokens: what the instruments time and look into.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "models/language_model.h"
#include "models/memory_estimate.h"
#include "models/model_shape.h"
#include "models/parameter_arena.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/run_config.h"

namespace scalelaw {

struct RehearsalOptions {
  ModelShape shape;            // n_vocab filled in
  int64_t batch_windows = 16;  // B
  int64_t replicas = 1;        // R
  Precision precision = Precision::kFloat32;
  bool plain_operators = false;
  bool recompute_blocks = false;
  int64_t micro_batch_windows = 0;  // divides batch_windows; 0: all at once
  at::Device device{at::kCPU};
};

class Rehearsal {
 public:
  explicit Rehearsal(const RehearsalOptions& options);

  // A whole training step, batch to update; a device has finished when it returns. Returns the
  // first replica's loss in nats, which guards against timing a model that does not learn.
  double step();

  const RehearsalOptions& options() const { return options_; }
  int64_t tokens_a_step() const;  // of all replicas
  // Of its step; nullopt where it is unknown. Of plain operators it does not tell.
  std::optional<MemoryEstimate> memory() const;
  double flops_a_step() const;  // of all replicas, exact_causal; 0: the architecture has no count

 private:
  int64_t windows_at_once() const;

  RehearsalOptions options_;
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<AdamW> optimizer_;
};

}  // namespace scalelaw
