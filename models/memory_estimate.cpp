#include "models/memory_estimate.h"

#include <algorithm>

#include "models/architecture_counts.h"

namespace scalelaw {
namespace {

constexpr double kFloat = 4;
constexpr double kCopy = 2;  // of a weight, in bf16

// What the process keeps of freed blocks (trainer/heap.h), of all tensors: measured 2 to 14%.
constexpr double kHeapShare = 0.10;

// Resident of a run of the smallest model; with oneDNN's bf16 products.
constexpr double kCpuBase = 140e6, kCpuBaseBf16 = 142e6;
// Workspaces of cuBLAS and cuDNN, beyond the context that the free memory lacks already. Not
// measured.
constexpr double kGpuBase = 256e6;
// AdamW by operators (trainer/optimizers/adamw.cpp, apply_plainly) holds so many arrays of all
// parameters at once, AdamW's kernel none.
constexpr double kPlainUpdateArrays = 8;

// Scored in one call. More would leave a core's caches and what steps have left in the heap: with
// eight times as many elements a window took up to 3 times as long (docs/performance.md).
constexpr int64_t kMostElements = int64_t{1} << 19, kMostWindows = 64;

struct HeadMemory {
  double logits = 0, workspace = 0;
};

// The head with the loss, forward or backward (models/layers/head_loss.cpp).
HeadMemory head_memory(const ModelShape& shape, const StepSetup& setup, double tokens) {
  const auto width = static_cast<double>(shape.d_model);
  const bool padded = setup.device == DeviceKind::kGpu && setup.gpu_kernels;
  const auto vocabulary =
      static_cast<double>(padded ? padded_vocabulary(shape.n_vocab) : shape.n_vocab);
  const double table = width * vocabulary * static_cast<double>(setup.replicas);
  HeadMemory memory;
  memory.logits = tokens * vocabulary * kFloat;
  if (setup.bf16_products) {
    memory.workspace = tokens * kCopy * (vocabulary + width) + table * kCopy;
  } else {
    memory.workspace = tokens * kFloat * 2 * width;  // the input scaled, and its gradient
    // Turned, so that its rows are dense.
    if (setup.device == DeviceKind::kCpu) memory.workspace += table * kFloat;
  }
  return memory;
}

// What forward and backward of so many windows hold beside the weights at the fullest moment.
struct PassMemory {
  double activations = 0, logits = 0, workspace = 0;
  double sum() const { return activations + logits + workspace; }
};

PassMemory pass_memory(const ModelShape& shape, const StepSetup& setup, const TrunkMemory& trunk,
                       int64_t windows) {
  const auto replicas = static_cast<double>(setup.replicas);
  const auto layers = static_cast<double>(shape.n_layer);
  const auto width = static_cast<double>(shape.d_model);
  const double tokens = replicas * static_cast<double>(windows) * static_cast<double>(shape.n_ctx);
  const double copies = setup.bf16_products ? kCopy * replicas * trunk.copied_weights_a_block : 0;
  const double block = tokens * trunk.kept_a_block + copies;
  const double final_norm = tokens * width * 2 * kFloat;
  PassMemory memory;
  memory.activations =
      layers * (setup.recompute_blocks ? tokens * trunk.block_inputs : block) + final_norm;
  const HeadMemory head = head_memory(shape, setup, tokens);
  // Of the last block, when the final norm and the logits are gone.
  double backward = layers > 0 ? tokens * trunk.in_flight - final_norm - head.logits : 0;
  if (setup.recompute_blocks && layers > 0) backward += block;
  memory.logits = head.logits;
  memory.workspace = std::max(head.workspace, backward);
  return memory;
}

}  // namespace

std::optional<MemoryEstimate> estimate_memory(const ModelShape& shape, const StepSetup& setup) {
  const std::optional<ModelCounts> counts = count(shape);
  const ArchitectureCounts* architecture = find_architecture(shape.arch);
  if (!counts || !architecture->trunk_memory) return std::nullopt;
  const TrunkMemory trunk = architecture->trunk_memory(shape, setup);
  const auto replicas = static_cast<double>(setup.replicas);
  const bool is_cpu = setup.device == DeviceKind::kCpu;

  MemoryEstimate memory;
  const double arena = kFloat * replicas * static_cast<double>(counts->parameters.total());
  memory.parameters = memory.gradients = arena;
  memory.optimizer = 2 * arena;
  if (!is_cpu) memory.optimizer += arena / replicas;  // where weight decay applies

  const PassMemory pass = pass_memory(shape, setup, trunk, setup.windows);
  memory.activations = pass.activations;
  memory.logits = pass.logits;
  memory.workspace = pass.workspace;
  if (is_cpu) {
    memory.heap = kHeapShare * memory.tensors();
    memory.base = setup.bf16_products ? kCpuBaseBf16 : kCpuBase;
    // The activations of a step are gone when windows are scored.
    memory.evaluation = std::max(0.0, *estimate_scoring(shape, setup) - pass.sum());
  } else {
    // So they are when the optimizer runs, but a graph keeps their memory when a small batch's or
    // an evaluation's is warmed up, one after the other.
    if (setup.small_batch_windows > 0) {
      memory.small_batch = pass_memory(shape, setup, trunk, setup.small_batch_windows).sum();
    }
    memory.evaluation = std::max(0.0, *estimate_scoring(shape, setup) - memory.small_batch);
    const double update = setup.gpu_kernels ? 0 : kPlainUpdateArrays * arena;
    memory.workspace += std::max(0.0, update - pass.sum());
    memory.base = kGpuBase;
  }
  return memory;
}

int64_t windows_scored_at_once(const ModelShape& shape, int64_t replicas) {
  const int64_t widest = std::max({shape.n_vocab, 4 * shape.d_model, shape.d_ff()});
  return std::clamp<int64_t>(kMostElements / (replicas * shape.n_ctx * widest), 1, kMostWindows);
}

std::optional<double> estimate_scoring(const ModelShape& shape, const StepSetup& setup) {
  const ArchitectureCounts* architecture = find_architecture(shape.arch);
  if (architecture == nullptr || !architecture->trunk_memory) return std::nullopt;
  const TrunkMemory trunk = architecture->trunk_memory(shape, setup);
  const auto windows = static_cast<double>(windows_scored_at_once(shape, setup.replicas));
  const double tokens =
      windows * static_cast<double>(setup.replicas) * static_cast<double>(shape.n_ctx);
  const double copies = setup.bf16_products ? kCopy * static_cast<double>(setup.replicas) *
                                                  trunk.copied_weights_a_block
                                            : 0;
  const double of_a_token = trunk.block_inputs + trunk.kept_a_block + trunk.in_flight;
  const double block = shape.n_layer > 0 ? tokens * of_a_token + copies : 0;
  const HeadMemory head = head_memory(shape, setup, tokens);
  // In float32, where a CPU does not multiply in bf16 itself; of float32 the workspace has it.
  const double final_norm = setup.bf16_products && setup.device == DeviceKind::kCpu
                                ? tokens * static_cast<double>(shape.d_model) * kFloat
                                : 0;
  return std::max(block, head.logits + head.workspace + final_norm);
}

}  // namespace scalelaw
