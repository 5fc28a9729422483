#include "trainer/step_choice.h"

#include <algorithm>

#include "trainer/config_error.h"
#include "trainer/noise_scale.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kUsableShare = 0.92;  // the rest is the system's, and the estimate's error
constexpr double kStagedArenas = 3;    // values and both moments, trainer/checkpoint_writer.h
constexpr double kRecomputedTime = 1.4;
constexpr double kTokensOfAPieceCpu = 40, kTokensOfAPieceGpu = 2000;

double relative_cost(const StepRequest& request, const StepChoice& choice) {
  const double tokens =
      static_cast<double>(choice.windows * request.shape.n_ctx * request.replicas);
  const double fixed = request.device == DeviceKind::kCpu ? kTokensOfAPieceCpu : kTokensOfAPieceGpu;
  return (choice.recompute_blocks ? kRecomputedTime : 1.0) * (1 + fixed / tokens);
}

// Of one way; nullopt where the architecture's memory is not known.
std::optional<StepChoice> weigh(const StepRequest& request, int64_t windows, bool recompute,
                                double bytes) {
  StepSetup setup;
  setup.windows = windows;
  setup.replicas = request.replicas;
  setup.device = request.device;
  setup.gpu_kernels = request.gpu_kernels;
  setup.bf16_products = request.bf16_products;
  setup.recompute_blocks = recompute;
  if (request.measures_noise_scale) {
    setup.small_batch_windows = std::min(windows, small_batch_windows(request.batch_windows));
  }
  const std::optional<MemoryEstimate> memory = estimate_memory(request.shape, setup);
  if (!memory) return std::nullopt;
  const bool staged = request.staged_checkpoints && request.device == DeviceKind::kCpu;
  const double needed = memory->total() + (staged ? kStagedArenas * memory->parameters : 0);
  return StepChoice{windows, recompute, needed, needed <= kUsableShare * bytes};
}

bool is_better(const StepRequest& request, const StepChoice& a, const StepChoice& b) {
  if (a.fits != b.fits) return a.fits;
  if (!a.fits) return a.needed_bytes < b.needed_bytes;
  return relative_cost(request, a) < relative_cost(request, b);
}

bool is_too_large(const StepRequest& request, int64_t windows) {
  return request.most_at_once > 0 && windows > request.most_at_once;
}

// 0: to be chosen.
int64_t asked_of(const StepRequest& request) {
  return is_too_large(request, request.windows_at_once) ? 0 : request.windows_at_once;
}

StepChoice best(const StepRequest& request, double bytes) {
  const int64_t asked = asked_of(request);
  std::optional<StepChoice> chosen;
  for (int64_t pieces = 1; pieces <= request.batch_windows; ++pieces) {
    const int64_t windows = request.batch_windows / pieces;
    if (request.batch_windows % pieces != 0 || (asked > 0 && windows != asked)) continue;
    if (is_too_large(request, windows)) continue;
    for (const bool recompute : {false, true}) {
      const auto other = recompute ? Recomputation::kNone : Recomputation::kBlocks;
      if (request.recompute == other) continue;
      const auto way = weigh(request, windows, recompute, bytes);
      if (!way) return {windows, recompute, 0, true};
      if (!chosen || is_better(request, *way, *chosen)) chosen = way;
    }
  }
  return chosen.value();
}

std::string way_text(const StepRequest& request, const StepChoice& choice) {
  const int64_t n_ctx = request.shape.n_ctx;
  std::string text =
      choice.windows == request.batch_windows
          ? "the batch of " + std::to_string(request.batch_windows * n_ctx) + " tokens at once"
          : "pieces of " + std::to_string(choice.windows * n_ctx) + " tokens of " +
                std::to_string(request.batch_windows * n_ctx);
  if (choice.recompute_blocks) text += ", blocks recomputed";
  return text;
}

}  // namespace

StepRequest request_for(const RunConfig& config, const ModelShape& shape, int64_t replicas) {
  StepRequest request;
  request.shape = shape;
  request.batch_windows = config.train.batch_tokens / shape.n_ctx;
  request.replicas = replicas;
  request.bf16_products = config.train.precision == Precision::kBFloat16;
  request.windows_at_once = config.how.micro_batch_tokens / shape.n_ctx;
  request.recompute = config.how.recompute;
  request.measures_noise_scale = config.evaluate.noise_scale_every > 0;
  request.staged_checkpoints = config.how.checkpoint_every_seconds != 0;
  return request;
}

StepChoice choose_step(const StepRequest& request, double bytes) {
  const int64_t before = request.windows_before;
  const bool may_keep = asked_of(request) == 0 && before > 0 && !is_too_large(request, before) &&
                        request.batch_windows % before == 0;
  if (may_keep) {
    StepRequest kept = request;
    kept.windows_at_once = before;
    if (const StepChoice choice = best(kept, bytes); choice.fits) return choice;
  }
  return best(request, bytes);
}

StepChoice require_fit(const StepRequest& request, double bytes) {
  const StepChoice choice = choose_step(request, bytes);
  if (choice.fits) return choice;
  StepRequest freely = request;
  freely.windows_at_once = 0;
  freely.recompute = Recomputation::kAuto;
  const StepChoice least = choose_step(freely, bytes);
  StepRequest alone = freely;
  alone.replicas = 1;
  std::string remedy = "choose a smaller shape or a larger machine";
  if (least.fits) {
    remedy = "how.micro_batch_tokens = " + std::to_string(least.windows * request.shape.n_ctx) +
             " with how.recompute = " + (least.recompute_blocks ? "blocks" : "none") +
             " would fit, and 0 with auto chooses that";
  } else if (request.replicas > 1 && choose_step(alone, bytes).fits) {
    remedy = "train fewer runs in one pack";
  }
  throw ConfigError("model.d_model = " + std::to_string(request.shape.d_model) +
                    ", model.n_layer = " + std::to_string(request.shape.n_layer) + ": " +
                    way_text(request, choice) + " needs about " + human(choice.needed_bytes) +
                    " bytes, of " + human(bytes) + " that are there; " + remedy);
}

std::string describe(const StepRequest& request, const StepChoice& choice, double bytes) {
  return "a step: " + way_text(request, choice) + "; about " + human(choice.needed_bytes) +
         " bytes of " + human(bytes);
}

}  // namespace scalelaw
