// Training steps whose every input lies on the device: tokens, the next steps' windows, rates and
// optimizer scalars, the number of the step. The host says what the next steps are, starts them and
// reads their losses and norms once; between, nothing is read back. Equal to train_step() of each
// (trainer/step.h), `==` on a CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/parameter_arena.h"
#include "trainer/device_corpus.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/step.h"
#include "trainer/step_graph.h"

namespace scalelaw {

// One step as the host plans it, for every replica.
struct StepPlan {
  std::vector<std::vector<int64_t>>
      window_starts;            // [R][B]; of an idle row any windows of the data
  std::vector<UpdateRow> rows;  // gradient_scale is not read
  bool measure_small_batch = false;
};

struct DeviceStepOptions {
  int64_t batch_windows = 0;        // B
  int64_t micro_batch_windows = 0;  // divides B
  std::vector<double> clip_norms;   // [R], 0: no clipping
  int64_t capacity = 256;           // K: the most steps between two read-backs
};

class DeviceStep {
 public:
  // Model, arena and optimizer outlive it; the corpus lies on the arena's device.
  DeviceStep(const LanguageModel& model, ParameterArena& arena, AdamW& optimizer,
             DeviceCorpus corpus, DeviceStepOptions options);

  // Captures the step as a CUDA graph, after some idle ones: weights and moments keep their bits.
  // Why that cannot be, in one line, and then run() goes on without; "" when it was done.
  std::string capture();
  bool captured() const { return graph_ != nullptr; }
  // The same of the small batch's norms, as a graph of its own: they are measured at few steps.
  std::string capture_small_batch();

  // 1 to capacity() steps, one after another; returns what train_step() would for each. A replica
  // whose loss or gradient norm is not finite is idle from that step on, the rest of the window
  // included. The rows of a window are active, or not, in all of its steps.
  std::vector<StepResult> run(const std::vector<StepPlan>& plans);
  int64_t capacity() const { return options_.capacity; }

  // How long the host took to start the last window's steps, and all of it until the read-back.
  double launch_seconds() const { return launch_seconds_; }
  double window_seconds() const { return window_seconds_; }

 private:
  void upload(const std::vector<StepPlan>& plans);
  // Of the step of counter_; what is captured:
  void step();
  void measure_small_batch();
  void start_steps(const std::vector<StepPlan>& plans);
  std::vector<StepResult> read_back(const std::vector<StepPlan>& plans);

  const LanguageModel& model_;
  ParameterArena& arena_;
  AdamW& optimizer_;
  DeviceCorpus corpus_;
  DeviceStepOptions options_;
  at::Tensor starts_;      // (K, R, B) int64
  at::Tensor tables_;      // (K, R, 8) float32, of AdamW
  at::Tensor results_;     // (K, 3, R) float32: losses, norms, small batches' norms where measured
  at::Tensor counter_;     // (1) int64: steps done of this window
  at::Tensor active_;      // (R) bool
  at::Tensor clip_norms_;  // (R) float64, infinite where there is no clipping
  std::unique_ptr<StepGraph> graph_, small_batch_graph_;
  double launch_seconds_ = 0, window_seconds_ = 0;
};

}  // namespace scalelaw
