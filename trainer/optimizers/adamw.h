// AdamW over the arena, every replica with its own hyperparameters.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "models/parameter_arena.h"
#include "trainer/run_config.h"

namespace scalelaw {

// What one replica's update needs from the step.
struct UpdateRow {
  bool active = true;  // false: neither weights nor moments of this row change
  double learning_rate = 0;
  double gradient_scale = 1;  // of clipping
};

class AdamW {
 public:
  // One config a replica. Weight decay applies to the matrices of attention, mlp, recurrent and
  // head; embeddings, norms and biases are left alone.
  AdamW(ParameterArena& arena, std::vector<OptimizerConfig> configs);

  // What the next update reads, or the one `ahead` after it: [R, 8] float32 on the CPU, a row a
  // replica of beta1, beta2, epsilon, gradient scale, learning rate x weight decay, step size, root
  // correction, active. rows.size() == R.
  at::Tensor table(const std::vector<UpdateRow>& rows, int64_t ahead = 0) const;
  // Reads the gradient arena, writes values and moments by a table on the arena's device. Counts no
  // update, and on a GPU reads nothing back, so that a step can be captured.
  void apply(const at::Tensor& table);
  // The same by plain operators on [R, P]: the slow twin, and what a device without a kernel runs.
  void apply_plainly(const at::Tensor& table);
  // One update, counted: apply(table(rows)).
  void update(const std::vector<UpdateRow>& rows);

  const at::Tensor& first_moment() const { return first_moment_; }    // [R, P]
  const at::Tensor& second_moment() const { return second_moment_; }  // [R, P]
  int64_t updates_done(int64_t replica) const;
  void set_updates_done(int64_t replica, int64_t updates);

 private:
  void apply_row_on_cpu(int64_t replica, const float* row);

  // [P], 1 where weight decay applies; made when first asked for, which no CPU kernel does.
  const at::Tensor& decay_mask();

  ParameterArena& arena_;
  std::vector<OptimizerConfig> configs_;
  std::vector<int64_t> updates_done_;
  at::Tensor first_moment_, second_moment_;
  at::Tensor decay_mask_;
};

}  // namespace scalelaw
