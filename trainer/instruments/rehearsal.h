// A model that trains on random tokens: what the instruments time and look into.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/memory_estimate.h"
#include "models/model_shape.h"
#include "models/parameter_arena.h"
#include "trainer/data/batch_stream.h"
#include "trainer/device_step.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/run_config.h"

namespace scalelaw {

struct RehearsalOptions {
  ModelShape shape;            // n_vocab filled in
  int64_t batch_windows = 16;  // B
  int64_t replicas = 1;        // R
  Precision precision = Precision::kFloat32;
  bool plain_operators = false;
  StepKind step = StepKind::kEager;
  bool recompute_blocks = false;
  int64_t micro_batch_windows = 0;  // divides batch_windows; 0: all at once
  int64_t noise_scale_every = 0;    // steps between measurements; 0: none
  at::Device device{at::kCPU};
};

class Rehearsal {
 public:
  // ConfigError where a graph is asked for and cannot be.
  explicit Rehearsal(const RehearsalOptions& options);

  // Whole training steps, batch to update; a device has finished when it returns. Returns the first
  // replica's loss in nats of the last, which guards against timing a model that does not learn.
  double steps(int64_t count);
  double step() { return steps(1); }
  // How many the host lets run between two looks: 1 of the eager step.
  int64_t steps_at_once() const { return device_step_ ? kStepsAtOnce : 1; }
  // Of the last steps() on the device: the share of its time in which the host started them. 0 of
  // eager steps.
  double launch_share() const;

  const RehearsalOptions& options() const { return options_; }
  int64_t tokens_a_step() const;  // of all replicas
  // Of its step; nullopt where it is unknown. Of plain operators it does not tell.
  std::optional<MemoryEstimate> memory() const;
  double flops_a_step() const;  // of all replicas, exact_causal; 0: the architecture has no count

 private:
  static constexpr int64_t kStepsAtOnce = 16;

  double eager_step();
  double device_steps(int64_t count);
  int64_t windows_at_once() const;
  bool measures_noise_at(int64_t step) const;

  RehearsalOptions options_;
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<DeviceStep> device_step_;
  std::vector<BatchStream> streams_;
  int64_t done_ = 0;
};

}  // namespace scalelaw
