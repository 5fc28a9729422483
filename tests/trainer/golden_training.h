// Training from the weights and on the windows of a run of plain torch.nn and torch.optim.AdamW in
// float64 (tests/golden/training, written by tests/golden/models/make_references.py), in any way of
// making a step, and how far its losses and gradient norms are from the reference's.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/models/golden_file.h"
#include "trainer/device_step.h"
#include "trainer/lr_schedule.h"

namespace scalelaw {

inline constexpr double kRoundings = 4 * std::numeric_limits<float>::epsilon();

// How far losses and norms are from the reference's at most, relative to them.
struct Distance {
  double loss = 0, norm = 0;
};

struct Curve {
  std::vector<double> loss_nats, grad_norm, small_batch_grad_norm;  // the last where measured
  bool operator==(const Curve&) const = default;
};

// One of R equal rows, or the only one, trained from the reference's weights on its windows.
struct Way {
  Execution execution;
  int64_t replicas = 1, replica = 0;  // which row is looked at; the others start elsewhere
  int64_t micro_batch_windows = 4;
  bool on_device = false;      // steps without a look of the host
  bool as_graph = false;       // those as a CUDA graph
  bool small_batches = false;  // their norms are measured at every third step
  at::Device device{at::kCPU};
  RankGroup* ranks = nullptr;  // two, each with half of every batch
};

class GoldenTraining : public testing::TestWithParam<std::string> {
 protected:
  // A process with threads of OpenMP's must not fork ranks.
  GoldenTraining() { at::set_num_threads(1); }

  double number(const std::string& key) const { return std::stod(file_.metadata().at(key)); }
  int64_t steps() const { return file_.at("loss").shape.at(0); }

  OptimizerConfig optimizer() const {
    OptimizerConfig config;
    config.beta1 = number("beta1");
    config.beta2 = number("beta2");
    config.epsilon = number("eps");
    config.weight_decay = number("weight_decay");
    config.clip_norm = number("clip_norm");
    return config;
  }
  UpdateRow row(int64_t step) const {
    ScheduleConfig schedule;
    schedule.warmup = number("warmup");
    schedule.final = number("final");
    UpdateRow row;
    row.learning_rate = learning_rate_at(schedule, number("peak"), step, steps());
    return row;
  }
  void start(ParameterArena& arena, const Way& way) const {
    arena.allocate(way.replicas, way.device);
    const at::NoGradGuard no_grad;
    for (int64_t r = 0; r < way.replicas; ++r) arena.initialise(r, 1 + r);
    for (const ParameterSpec& spec : arena.specs()) {
      const at::Tensor initial = tensor(file_, "initial." + spec.name);
      arena.values()[way.replica].narrow(0, spec.offset, spec.numel).copy_(initial.flatten());
    }
  }
  // (steps, R, B, T) of the way's rows, of this rank's windows.
  at::Tensor windows(const std::string& name, const Way& way) const {
    at::Tensor all = tensor(file_, name).unsqueeze(1);
    if (way.ranks != nullptr) all = all.narrow(2, 2 * way.ranks->rank(), 2);
    return all.expand({all.size(0), way.replicas, all.size(2), all.size(3)})
        .contiguous()
        .to(way.device);
  }

  Curve train(const Way& way) const {
    ParameterArena arena;
    const auto model = make_model(shape_of(file_), way.execution, arena);
    start(arena, way);
    const auto replicas = static_cast<std::size_t>(way.replicas);
    AdamW adamw(arena, std::vector(replicas, optimizer()));
    const std::vector<double> clip_norms(replicas, number("clip_norm"));
    const std::vector<StepResult> results = way.on_device
                                                ? on_device(way, *model, arena, adamw, clip_norms)
                                                : eagerly(way, *model, arena, adamw, clip_norms);
    Curve curve;
    for (const StepResult& result : results) {
      curve.loss_nats.push_back(result.loss_nats[static_cast<std::size_t>(way.replica)]);
      curve.grad_norm.push_back(result.grad_norm[static_cast<std::size_t>(way.replica)]);
      if (result.small_batch_grad_norm.empty()) continue;
      curve.small_batch_grad_norm.push_back(
          result.small_batch_grad_norm[static_cast<std::size_t>(way.replica)]);
    }
    return curve;
  }

  std::vector<StepResult> eagerly(const Way& way, const LanguageModel& model, ParameterArena& arena,
                                  AdamW& adamw, const std::vector<double>& clip_norms) const {
    std::unique_ptr<GradientMean> over_ranks;
    if (way.ranks != nullptr) over_ranks = std::make_unique<GradientMean>(*way.ranks, arena);
    const at::Tensor tokens = windows("tokens", way), targets = windows("targets", way);
    const int64_t micro = std::min(way.micro_batch_windows, tokens.size(2));
    std::vector<StepResult> results;
    for (int64_t step = 0; step < steps(); ++step) {
      results.push_back(train_step(model, arena, adamw, tokens[step], targets[step], micro,
                                   clip_norms, std::vector(clip_norms.size(), row(step)),
                                   over_ranks.get(), way.small_batches && step % 3 == 2));
    }
    return results;
  }

  // The device's corpus is the windows one after another, each with its last target.
  std::vector<StepResult> on_device(const Way& way, const LanguageModel& model,
                                    ParameterArena& arena, AdamW& adamw,
                                    const std::vector<double>& clip_norms) const {
    const at::Tensor tokens = tensor(file_, "tokens"), targets = tensor(file_, "targets");
    const int64_t batch = tokens.size(1), n_tokens = tokens.size(2);
    const at::Tensor whole = at::cat({tokens, targets.narrow(2, n_tokens - 1, 1)}, 2);
    DeviceStep step(model, arena, adamw, DeviceCorpus(whole.flatten().to(at::kInt).to(way.device)),
                    {batch, way.micro_batch_windows, clip_norms, /*capacity=*/16});
    if (way.as_graph) {
      EXPECT_EQ(step.capture(), "");
      EXPECT_TRUE(step.captured());
      EXPECT_EQ(step.capture_small_batch(), "");
    }
    std::vector<StepResult> results;
    for (int64_t first = 0; first < steps(); first += step.capacity()) {
      std::vector<StepPlan> plans;
      for (int64_t k = first; k < std::min(steps(), first + step.capacity()); ++k) {
        std::vector<int64_t> starts;
        for (int64_t b = 0; b < batch; ++b) starts.push_back((k * batch + b) * (n_tokens + 1));
        plans.push_back({std::vector(clip_norms.size(), starts),
                         std::vector(clip_norms.size(), row(k)), way.small_batches && k % 3 == 2});
      }
      for (StepResult& result : step.run(plans)) results.push_back(std::move(result));
    }
    return results;
  }

  Distance distance(const Curve& curve) const {
    const at::Tensor loss = tensor(file_, "loss"), norm = tensor(file_, "gradient_norm");
    EXPECT_EQ(static_cast<int64_t>(curve.loss_nats.size()), steps());
    Distance furthest;
    for (int64_t k = 0; k < steps(); ++k) {
      const auto relative = [k](const at::Tensor& reference, const std::vector<double>& seen) {
        const double expected = reference[k].item<double>();
        return std::abs(seen[static_cast<std::size_t>(k)] - expected) / expected;
      };
      furthest.loss = std::max(furthest.loss, relative(loss, curve.loss_nats));
      furthest.norm = std::max(furthest.norm, relative(norm, curve.grad_norm));
    }
    return furthest;
  }
  // At most twice as far as plain operators in the same precision, whose own distance is bounded,
  // and a few roundings of a float32 number.
  void expect_as_near_as_plain(const Curve& curve, const Distance& plain) const {
    const Distance seen = distance(curve);
    EXPECT_LE(seen.loss, 2 * plain.loss + kRoundings);
    EXPECT_LE(seen.norm, 2 * plain.norm + kRoundings);
  }
  Distance plain(at::ScalarType dtype, const Distance& bound, Way way = {}) const {
    way.execution = {.compute_dtype = dtype, .plain_operators = true};
    const Distance seen = distance(train(way));
    EXPECT_LT(seen.loss, bound.loss);
    EXPECT_LT(seen.norm, bound.norm);
    return seen;
  }
  Distance plain_float() const { return plain(at::kFloat, {1e-6, 5e-6}); }

  SafetensorsFile file_{golden_folder() / "training" / (GetParam() + ".safetensors")};
};

}  // namespace scalelaw
