// A model that trains on random tokens: what the instruments time and look into.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

#include "models/language_model.h"
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
  double flops_a_step() const;    // of all replicas, exact_causal; 0: the architecture has no count

 private:
  RehearsalOptions options_;
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<AdamW> optimizer_;
};

}  // namespace scalelaw
