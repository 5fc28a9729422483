#include "trainer/instruments/rehearsal.h"

#include <ATen/ops/randint.h>

#include <algorithm>
#include <vector>

#include "models/kernels/device_kernels.h"
#include "trainer/config_error.h"
#include "trainer/noise_scale.h"
#include "trainer/step.h"

namespace scalelaw {
namespace {

constexpr double kLearningRate = 1e-3;
constexpr int64_t kRandomTokens = int64_t{1} << 20;  // of which steps on the device train

}  // namespace

Rehearsal::Rehearsal(const RehearsalOptions& options) : options_(options) {
  const Execution execution{options.precision == Precision::kBFloat16 ? at::kBFloat16 : at::kFloat,
                            options.plain_operators, options.recompute_blocks};
  model_ = make_model(options.shape, execution, arena_);
  arena_.allocate(options.replicas, options.device);
  for (int64_t r = 0; r < options.replicas; ++r) arena_.initialise(r, 1 + r);
  const auto replicas = static_cast<std::size_t>(options.replicas);
  optimizer_ = std::make_unique<AdamW>(arena_, std::vector<OptimizerConfig>(replicas));
  if (options.step == StepKind::kEager) return;
  const int64_t tokens = std::max(kRandomTokens, options.batch_windows * options.shape.n_ctx + 1);
  for (int64_t r = 0; r < options.replicas; ++r) {
    streams_.emplace_back(BatchGeometry{options.shape.n_ctx, options.batch_windows, tokens}, 1 + r);
  }
  const at::Tensor ids = at::randint(options.shape.n_vocab, {tokens}, at::kInt);
  device_step_ = std::make_unique<DeviceStep>(
      *model_, arena_, *optimizer_, DeviceCorpus(ids.to(options.device)),
      DeviceStepOptions{options.batch_windows, windows_at_once(),
                        std::vector<double>(replicas, 1.0), kStepsAtOnce});
  if (options.step != StepKind::kGraph) return;
  std::string refusal = device_step_->capture();
  if (refusal.empty() && options.noise_scale_every > 0) {
    refusal = device_step_->capture_small_batch();
  }
  if (!refusal.empty()) {
    throw ConfigError("--step graph: " + refusal + "; --step device is the same without");
  }
}

double Rehearsal::steps(int64_t count) {
  if (device_step_) return device_steps(count);
  double loss = 0;
  for (int64_t i = 0; i < count; ++i, ++done_) loss = eager_step();
  return loss;
}

double Rehearsal::device_steps(int64_t count) {
  StepPlan plan;
  UpdateRow row;
  row.learning_rate = kLearningRate;
  plan.rows.assign(static_cast<std::size_t>(options_.replicas), row);
  std::vector<StepPlan> plans;
  for (int64_t i = 0; i < count; ++i, ++done_) {
    plan.window_starts.clear();
    for (const BatchStream& stream : streams_) {
      plan.window_starts.push_back(stream.window_starts(done_));
    }
    plan.measure_small_batch = measures_noise_at(done_);
    plans.push_back(plan);
  }
  return device_step_->run(plans).back().loss_nats.front();
}

double Rehearsal::launch_share() const {
  if (!device_step_) return 0;
  return device_step_->launch_seconds() / device_step_->window_seconds();
}

double Rehearsal::eager_step() {
  const auto replicas = static_cast<std::size_t>(options_.replicas);
  const int64_t context = options_.shape.n_ctx;
  UpdateRow row;
  row.learning_rate = kLearningRate;
  // One more token than the context, so that targets are the inputs moved by one.
  const at::Tensor tokens =
      at::randint(options_.shape.n_vocab, {options_.replicas, options_.batch_windows, context + 1},
                  at::kLong)
          .to(options_.device);
  const at::Tensor inputs = tokens.narrow(2, 0, context).contiguous();
  const at::Tensor targets = tokens.narrow(2, 1, context).contiguous();
  return train_step(*model_, arena_, *optimizer_, inputs, targets, windows_at_once(),
                    std::vector<double>(replicas, 1.0), std::vector<UpdateRow>(replicas, row),
                    /*over_ranks=*/nullptr, measures_noise_at(done_))
      .loss_nats.front();
}

bool Rehearsal::measures_noise_at(int64_t step) const {
  return options_.noise_scale_every > 0 && (step + 1) % options_.noise_scale_every == 0;
}

int64_t Rehearsal::tokens_a_step() const {
  return options_.replicas * options_.batch_windows * options_.shape.n_ctx;
}

int64_t Rehearsal::windows_at_once() const {
  return options_.micro_batch_windows > 0 ? options_.micro_batch_windows : options_.batch_windows;
}

std::optional<MemoryEstimate> Rehearsal::memory() const {
  StepSetup setup;
  setup.windows = windows_at_once();
  setup.replicas = options_.replicas;
  setup.device = options_.device.is_cpu() ? DeviceKind::kCpu : DeviceKind::kGpu;
  setup.gpu_kernels = device_kernels() != nullptr;
  setup.bf16_products = options_.precision == Precision::kBFloat16;
  setup.recompute_blocks = options_.recompute_blocks;
  if (options_.noise_scale_every > 0) {
    setup.small_batch_windows =
        std::min(windows_at_once(), small_batch_windows(options_.batch_windows));
  }
  return estimate_memory(options_.shape, setup);
}

double Rehearsal::flops_a_step() const {
  const auto counts = count(options_.shape);
  if (!counts) return 0;
  return static_cast<double>(tokens_a_step()) *
         training_flops_per_token(options_.shape, *counts, CCount::kExactCausal);
}

}  // namespace scalelaw
