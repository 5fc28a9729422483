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

  // Reads the gradient arena, writes the values. rows.size() == R.
  void update(const std::vector<UpdateRow>& rows);
  // The same by plain operators on [R, P]: the slow twin, and what a device without a kernel runs.
  void update_plainly(const std::vector<UpdateRow>& rows);

  const at::Tensor& first_moment() const { return first_moment_; }    // [R, P]
  const at::Tensor& second_moment() const { return second_moment_; }  // [R, P]
  int64_t updates_done(int64_t replica) const;
  void set_updates_done(int64_t replica, int64_t updates);

 private:
  void update_row_cpu(int64_t replica, const UpdateRow& row);
  void count_updates(const std::vector<UpdateRow>& rows);

  ParameterArena& arena_;
  std::vector<OptimizerConfig> configs_;
  std::vector<int64_t> updates_done_;
  at::Tensor first_moment_, second_moment_;
  at::Tensor decays_;  // [P], 1 where weight decay applies; made when first needed
};

}  // namespace scalelaw
