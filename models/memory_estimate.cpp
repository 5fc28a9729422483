#include "models/memory_estimate.h"

#include <algorithm>

#include "models/architecture_counts.h"

namespace scalelaw {
namespace {

constexpr double kFloat = 4;
constexpr double kCopy = 2;  // of a weight, in bf16

// What glibc's heap holds beyond the tensors: blocks of many sizes come and go, and what is freed
// does not fit what is asked for next. Fitted to steps of 64 to 512 features (docs/performance.md).
struct HeapSpare {
  double blocks, share;  // of what one block keeps; of all that is kept and of the workspace
};
constexpr HeapSpare kSpareFloat = {1.2, 0.12}, kSpareBf16 = {2.0, 0.17};

// Resident after a first small step; with oneDNN's bf16 products.
constexpr double kCpuBase = 133e6, kCpuBaseBf16 = 141e6;
// Workspaces of cuBLAS and cuDNN, beyond the context that the free memory lacks already. Not
// measured.
constexpr double kGpuBase = 256e6;
// AdamW by operators (trainer/optimizers/adamw.cpp, update_plainly) holds so many arrays of all
// parameters at once.
constexpr double kPlainUpdateArrays = 8;

struct HeadMemory {
  double logits = 0, workspace = 0;
};

// The head's forward pass with the loss (models/layers/head_loss.cpp).
HeadMemory head_memory(const ModelShape& shape, const StepSetup& setup, double tokens) {
  const auto width = static_cast<double>(shape.d_model);
  const auto vocabulary = static_cast<double>(shape.n_vocab);
  const double table = width * vocabulary * static_cast<double>(setup.replicas);
  HeadMemory memory;
  memory.logits = tokens * vocabulary * kFloat;
  if (setup.bf16_products) {
    memory.workspace = tokens * kCopy * (vocabulary + width) + table * kCopy;
  } else if (setup.device == DeviceKind::kCpu) {
    memory.workspace = table * kFloat;  // turned, so that its rows are dense
  }
  return memory;
}

}  // namespace

std::optional<MemoryEstimate> estimate_memory(const ModelShape& shape, const StepSetup& setup) {
  const std::optional<ModelCounts> counts = count(shape);
  const ArchitectureCounts* architecture = find_architecture(shape.arch);
  if (!counts || !architecture->trunk_memory) return std::nullopt;
  const TrunkMemory trunk = architecture->trunk_memory(shape, setup);
  const auto replicas = static_cast<double>(setup.replicas);
  const auto layers = static_cast<double>(shape.n_layer);
  const auto width = static_cast<double>(shape.d_model);
  const double tokens =
      replicas * static_cast<double>(setup.windows) * static_cast<double>(shape.n_ctx);
  const bool is_cpu = setup.device == DeviceKind::kCpu;

  MemoryEstimate memory;
  const double arena = kFloat * replicas * static_cast<double>(counts->parameters.total());
  memory.parameters = memory.gradients = arena;
  memory.optimizer = 2 * arena;

  const double copies = setup.bf16_products ? kCopy * replicas * trunk.copied_weights_a_block : 0;
  const double block = tokens * trunk.kept_a_block + copies;
  const double final_norm = tokens * width * 2 * kFloat;
  memory.activations =
      layers * (setup.recompute_blocks ? tokens * trunk.block_inputs : block) + final_norm;

  const HeadMemory head = head_memory(shape, setup, tokens);
  // Of the last block, when the final norm and the logits are gone.
  double backward = layers > 0 ? tokens * trunk.in_flight - final_norm - head.logits : 0;
  // The block's activations once more, and the gradients of its inputs as leaves of its own.
  if (setup.recompute_blocks && layers > 0) backward += block + tokens * width * 2 * kFloat;
  memory.logits = head.logits;
  memory.workspace = std::max(head.workspace, backward);
  if (is_cpu) {
    const HeapSpare spare = setup.bf16_products ? kSpareBf16 : kSpareFloat;
    memory.heap = (layers > 0 ? spare.blocks * block : 0) +
                  spare.share * (memory.activations + memory.workspace);
    memory.base = setup.bf16_products ? kCpuBaseBf16 : kCpuBase;
  } else {
    // Activations are gone when the optimizer runs.
    const double step = memory.activations + memory.logits + memory.workspace;
    memory.workspace += std::max(0.0, kPlainUpdateArrays * arena - step);
    memory.base = kGpuBase;
  }
  return memory;
}

}  // namespace scalelaw
