#include "trainer/instruments/rehearsal.h"

#include <ATen/ops/randint.h>

#include <vector>

#include "trainer/step.h"

namespace scalelaw {

Rehearsal::Rehearsal(const RehearsalOptions& options) : options_(options) {
  const Execution execution{options.precision == Precision::kBFloat16 ? at::kBFloat16 : at::kFloat,
                            options.plain_operators, options.recompute_blocks};
  model_ = make_model(options.shape, execution, arena_);
  arena_.allocate(options.replicas, options.device);
  for (int64_t r = 0; r < options.replicas; ++r) arena_.initialise(r, 1 + r);
  optimizer_ = std::make_unique<AdamW>(
      arena_, std::vector<OptimizerConfig>(static_cast<std::size_t>(options.replicas)));
}

double Rehearsal::step() {
  const auto replicas = static_cast<std::size_t>(options_.replicas);
  const int64_t context = options_.shape.n_ctx;
  UpdateRow row;
  row.learning_rate = 1e-3;
  // One more token than the context, so that targets are the inputs moved by one.
  const at::Tensor tokens =
      at::randint(options_.shape.n_vocab, {options_.replicas, options_.batch_windows, context + 1},
                  at::kLong)
          .to(options_.device);
  const at::Tensor inputs = tokens.narrow(2, 0, context).contiguous();
  const at::Tensor targets = tokens.narrow(2, 1, context).contiguous();
  return train_step(*model_, arena_, *optimizer_, inputs, targets, windows_at_once(),
                    std::vector<double>(replicas, 1.0), std::vector<UpdateRow>(replicas, row))
      .loss_nats.front();
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
  setup.bf16_products = options_.precision == Precision::kBFloat16;
  setup.recompute_blocks = options_.recompute_blocks;
  return estimate_memory(options_.shape, setup);
}

double Rehearsal::flops_a_step() const {
  const auto counts = count(options_.shape);
  if (!counts) return 0;
  return static_cast<double>(tokens_a_step()) *
         training_flops_per_token(options_.shape, *counts, CCount::kExactCausal);
}

}  // namespace scalelaw
