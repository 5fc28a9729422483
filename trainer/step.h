// One training step of a pack: forward, backward, per-replica clipping, update. The eager path,
// the reference for every faster one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/parameter_arena.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/parallel/gradient_mean.h"

namespace scalelaw {

struct StepResult {
  std::vector<double> loss_nats;  // of each replica, mean over the batch, before the update
  std::vector<double> grad_norm;  // of each replica, before clipping
  std::vector<bool> updated;      // false: was not active, or loss or gradient was not finite
  std::vector<double> small_batch_grad_norm = {};  // of each replica; empty where not measured
};

// Mean loss of each replica over the batch, (R), and gradients added into the arena. inputs,
// targets (R, B, T). micro_batch_windows divides B; gradients are those of the mean over all B
// windows however they are split. `over_ranks`: the windows are this rank's share, loss and
// gradients those of the mean over all ranks' windows.
at::Tensor accumulate_gradients(const LanguageModel& model, const at::Tensor& inputs,
                                const at::Tensor& targets, int64_t micro_batch_windows,
                                GradientMean* over_ranks = nullptr);

// L2 norm of each replica's gradients, (R) float32 on the arena's device.
at::Tensor gradient_norms(const ParameterArena& arena);

// Of a batch what the noise scale compares with the whole (trainer/noise_scale.h), (R, B, ...) ->
// (R, small_batch_windows(B), ...). Where eight divides each rank's share, they are the same
// windows on any number of ranks.
at::Tensor small_batch_of(const at::Tensor& of_windows);

// gradient_norms() of inputs and targets, a small batch's, in pieces of at most
// micro_batch_windows. No update; the arena is left with its gradients.
at::Tensor small_batch_norms(const LanguageModel& model, ParameterArena& arena,
                             const at::Tensor& inputs, const at::Tensor& targets,
                             int64_t micro_batch_windows, GradientMean* over_ranks = nullptr);

// zero_gradients(), accumulate_gradients() and the update. A replica whose loss or gradient norm is
// not finite keeps the weights and moments it had; the others are not touched by it. LostRank
// leaves weights and moments as they were. `measure_small_batch`: small_batch_norms() before that,
// which changes nothing else.
StepResult train_step(const LanguageModel& model, ParameterArena& arena, AdamW& optimizer,
                      const at::Tensor& inputs, const at::Tensor& targets,
                      int64_t micro_batch_windows, const std::vector<double>& clip_norms,
                      std::vector<UpdateRow> rows, GradientMean* over_ranks = nullptr,
                      bool measure_small_batch = false);

// What a step works on, for messages: "transformer of n_layer = 2, …, 1 x 16 windows at once".
std::string describe_step(const ModelShape& shape, int64_t windows, int64_t replicas);

}  // namespace scalelaw
