// What training needs of a device's memory, by arithmetic alone: what the layers keep from
// forward to backward (models/layers/), what is held beside it at the fullest moment, and the
// state. No LibTorch. Measured against steps in docs/performance.md; for a GPU it was not.
//
// Symbols as in models/model_shape.h; R replicas, B windows at once, M = R B T tokens at once.
#pragma once

#include <cstdint>
#include <optional>

#include "models/model_shape.h"

namespace scalelaw {

enum class DeviceKind { kCpu, kGpu };

// What is computed at once.
struct StepSetup {
  int64_t windows = 1;   // B; of a micro-batch where the batch is computed in pieces
  int64_t replicas = 1;  // R
  DeviceKind device = DeviceKind::kCpu;
  bool gpu_kernels = true;  // of a GPU: lib/libscalelaw_cuda.so is loaded
  bool bf16_products = false;
  bool recompute_blocks = false;    // models/layers/recompute.h
  int64_t small_batch_windows = 0;  // of a noise scale's small batch, at once; 0: not measured

  double product_bytes() const { return bf16_products ? 2 : 4; }  // an element of an operand
  // An element between the products; on a CPU only the operands are bf16 (models/layers/linear.h).
  double between_bytes() const { return device == DeviceKind::kGpu ? product_bytes() : 4; }
};

// Of an architecture's blocks, in bytes a token unless said otherwise.
struct TrunkMemory {
  double kept_a_block = 0;            // from a block's forward to its backward
  double block_inputs = 0;            // that a recomputed block keeps instead
  double in_flight = 0;               // gradients at the fullest moment of a block's backward
  double copied_weights_a_block = 0;  // weights, not bytes: copied where products are bf16
};

// Bytes, all replicas.
struct MemoryEstimate {
  double parameters = 0, gradients = 0, optimizer = 0;
  double activations = 0;  // kept for the backward pass, copies of weights included
  double logits = 0;
  double workspace = 0;    // beyond the logits at the fullest moment
  double small_batch = 0;  // of a noise scale, beside the step's: on a GPU
  double evaluation = 0;   // what scoring test windows takes beyond all that
  double heap = 0;         // freed blocks that are kept for the next step; measured
  double base = 0;         // program and libraries

  double tensors() const {
    return parameters + gradients + optimizer + activations + logits + workspace;
  }
  double of_steps() const { return tensors() + small_batch + heap + base; }
  double total() const { return of_steps() + evaluation; }
};

// Peak of steps and evaluations; nullopt for an architecture that gives no counts or no
// TrunkMemory: unknown, not zero. Throws as count().
std::optional<MemoryEstimate> estimate_memory(const ModelShape& shape, const StepSetup& setup);

// Test windows that each replica scores in one call: no tensor of it is of more than 512 Ki
// elements unless one window's are. The same on all devices and however a step is computed.
int64_t windows_scored_at_once(const ModelShape& shape, int64_t replicas);

// Peak of that call beside the weights, bytes; nullopt as estimate_memory().
std::optional<double> estimate_scoring(const ModelShape& shape, const StepSetup& setup);

}  // namespace scalelaw
