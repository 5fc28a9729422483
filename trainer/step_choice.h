// How much of the batch is computed at once, and whether blocks are recomputed, from the estimate
// of a step's memory (models/memory_estimate.h). No LibTorch: `scalelaw sweep plan` chooses as
// training does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "models/memory_estimate.h"
#include "trainer/run_config.h"

namespace scalelaw {

struct StepRequest {
  ModelShape shape;           // n_vocab filled in
  int64_t batch_windows = 1;  // of an update
  int64_t replicas = 1;
  DeviceKind device = DeviceKind::kCpu;
  bool gpu_kernels = true;  // as StepSetup's
  bool bf16_products = false;
  int64_t windows_at_once = 0;  // how.micro_batch_tokens in windows; 0: to be chosen
  int64_t most_at_once = 0;     // windows; 0: any number. Where more is asked for, it is chosen
  Recomputation recompute = Recomputation::kAuto;
  bool measures_noise_scale = false;
  bool staged_checkpoints = true;  // a CPU's memory holds weights and moments once more
  int64_t windows_before = 0;      // of the attempt that this one goes on from; 0: none
};
StepRequest request_for(const RunConfig& config, const ModelShape& shape, int64_t replicas);

struct StepChoice {
  int64_t windows = 1;  // at once; divides batch_windows
  bool recompute_blocks = false;
  double needed_bytes = 0;  // 0: unknown, and the whole batch is taken
  bool fits = true;
};

// A CPU's memory holds beside the step's what checkpoints are written from.
// The cheapest way of computing the batch that fits `bytes`; where none does, the one that needs
// least. Cost: blocks run again take 1.4 times the time, and a piece costs beside its tokens as
// much as 40 more on a CPU (measured, docs/performance.md), 2000 on a GPU (not measured), which
// read and add the weights' gradients. So on a CPU pieces come before recomputation down to about
// 100 tokens. windows_before is kept wherever it fits and may be, so that a run goes on bit for
// bit.
StepChoice choose_step(const StepRequest& request, double bytes);

// The same; ConfigError where nothing fits: what is needed, what is there and what would fit.
StepChoice require_fit(const StepRequest& request, double bytes);

// "a step in pieces of 1024 tokens of 8192, blocks recomputed: about 1.2G bytes of 4G"
std::string describe(const StepRequest& request, const StepChoice& choice, double bytes);

}  // namespace scalelaw
