#include "trainer/bench.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>
#include <time.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/language_model.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/step.h"

namespace scalelaw {
namespace {

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

}  // namespace

BenchResult run_bench(const BenchOptions& options) {
  ParameterArena arena;
  const Execution execution{options.precision == Precision::kBFloat16 ? at::kBFloat16 : at::kFloat,
                            options.plain_operators};
  const auto model = make_model(options.shape, execution, arena);
  arena.allocate(options.replicas, options.device);
  for (int64_t r = 0; r < options.replicas; ++r) arena.initialise(r, 1 + r);
  const auto replicas = static_cast<std::size_t>(options.replicas);
  AdamW optimizer(arena, std::vector<OptimizerConfig>(replicas));
  UpdateRow row;
  row.learning_rate = 1e-3;
  const std::vector<UpdateRow> rows(replicas, row);
  const std::vector<double> clip_norms(replicas, 1.0);

  std::vector<double> cpu_seconds, wall_seconds;
  double loss = 0;
  for (int64_t step = 0; step < options.warmup_steps + options.steps; ++step) {
    const double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID), wall = seconds(CLOCK_MONOTONIC);
    // One more token than the context, so that targets are the inputs moved by one.
    const at::Tensor tokens =
        at::randint(options.shape.n_vocab,
                    {options.replicas, options.batch_windows, options.shape.n_ctx + 1}, at::kLong)
            .to(options.device);
    const at::Tensor inputs = tokens.narrow(2, 0, options.shape.n_ctx).contiguous();
    const at::Tensor targets = tokens.narrow(2, 1, options.shape.n_ctx).contiguous();
    // Reads loss and norm back, so a device has finished when it returns.
    const StepResult result = train_step(*model, arena, optimizer, inputs, targets,
                                         options.batch_windows, clip_norms, rows);
    if (step < options.warmup_steps) continue;
    cpu_seconds.push_back(seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    wall_seconds.push_back(seconds(CLOCK_MONOTONIC) - wall);
    loss = result.loss_nats.front();
  }

  BenchResult result;
  result.step_cpu_seconds_median = median(cpu_seconds);
  result.step_wall_seconds_median = median(wall_seconds);
  const auto tokens =
      static_cast<double>(options.replicas * options.batch_windows * options.shape.n_ctx);
  result.tokens_per_second = tokens / result.step_wall_seconds_median;
  if (const auto counts = count(options.shape)) {
    result.flops_per_second =
        result.tokens_per_second *
        training_flops_per_token(options.shape, *counts, CCount::kExactCausal);
  }
  result.final_loss_nats = loss;
  return result;
}

std::string to_json_line(const BenchOptions& options, const BenchResult& result) {
  return nlohmann::json{{"arch", options.shape.arch},
                        {"n_layer", options.shape.n_layer},
                        {"d_model", options.shape.d_model},
                        {"n_ctx", options.shape.n_ctx},
                        {"n_vocab", options.shape.n_vocab},
                        {"batch_windows", options.batch_windows},
                        {"replicas", options.replicas},
                        {"steps", options.steps},
                        {"step_cpu_seconds_median", result.step_cpu_seconds_median},
                        {"step_wall_seconds_median", result.step_wall_seconds_median},
                        {"tokens_per_second", result.tokens_per_second},
                        {"flops_per_second_exact_causal", result.flops_per_second},
                        {"final_loss_nats", result.final_loss_nats}}
      .dump();
}

}  // namespace scalelaw
