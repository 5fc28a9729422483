// One LSTM layer over whole windows, states zero at the first token (Hochreiter and Schmidhuber
// 1997 with the forget gate of Gers et al. 2000; one bias). Gate order: input, forget, cell,
// output.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

struct LstmParameters {
  Parameter input;   // [R, W, 4 W]
  Parameter hidden;  // [R, W, 4 W]
  Parameter bias;    // [R, 4 W]
};

// x (R, T, B, W) dense, time before batch -> hidden states (R, T, B, W). In bf16 the products with
// all time steps at once are bf16, the state float32 (on a GPU above kMaxPersistentLstmWidth those
// with one step are bf16 too). Backward once: it reuses what forward kept.
at::Tensor lstm_layer(const at::Tensor& x, const LstmParameters& parameters,
                      const Execution& execution);

namespace plain {
at::Tensor lstm_layer(const at::Tensor& x, const at::Tensor& input, const at::Tensor& hidden,
                      const at::Tensor& bias);
}  // namespace plain

}  // namespace scalelaw
