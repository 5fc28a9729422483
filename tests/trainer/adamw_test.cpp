// AdamW against 20 steps of torch.optim.AdamW with clip_grad_norm_
// (tests/golden/adamw.safetensors).
#include "trainer/optimizers/adamw.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "trainer/lr_schedule.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

at::Tensor tensor_of(const SafetensorView& view) {
  auto* bytes = const_cast<std::byte*>(view.bytes.data());
  return at::from_blob(bytes, view.shape, view.dtype == "F64" ? at::kDouble : at::kFloat).clone();
}

double number(const SafetensorsFile& file, const std::string& key) {
  return std::stod(file.metadata().at(key));
}

struct Problem {
  ParameterArena arena;
  Parameter matrix, vector;
  Problem(const SafetensorsFile& file, int64_t replicas) {
    matrix = arena.declare("matrix", file.at("initial.matrix").shape, ParameterGroup::kMlp, {});
    vector = arena.declare("vector", file.at("initial.vector").shape, ParameterGroup::kNorm, {});
    arena.allocate(replicas, at::kCPU);
  }
};

using Apply = void (AdamW::*)(const at::Tensor&);

// The kernel, and its slow twin: what a GPU without one runs.
class AdamWTest : public testing::TestWithParam<Apply> {};
INSTANTIATE_TEST_SUITE_P(Twins, AdamWTest, testing::Values(&AdamW::apply, &AdamW::apply_plainly),
                         [](const auto& twin) { return twin.index == 0 ? "kernel" : "plain"; });

TEST_P(AdamWTest, EqualsPyTorchsWithClippingAndScheduleOverTwentySteps) {
  const SafetensorsFile file(std::string(SCALELAW_SOURCE_DIR) + "/tests/golden/adamw.safetensors");
  OptimizerConfig config;
  config.beta1 = number(file, "beta1");
  config.beta2 = number(file, "beta2");
  config.epsilon = number(file, "eps");
  config.weight_decay = number(file, "weight_decay");
  ScheduleConfig schedule;
  schedule.warmup = number(file, "warmup");
  schedule.final = number(file, "final");
  const auto steps = static_cast<int64_t>(number(file, "steps"));
  const double clip_norm = number(file, "clip_norm");

  Problem problem(file, 2);  // the second row gets nothing and must stay as it is
  const at::NoGradGuard no_grad;
  problem.matrix.value()[0].copy_(tensor_of(file.at("initial.matrix")));
  problem.vector.value()[0].copy_(tensor_of(file.at("initial.vector")));
  AdamW optimizer(problem.arena, {config, config});
  const at::Tensor rates = tensor_of(file.at("learning_rate"));
  for (int64_t step = 0; step < steps; ++step) {
    problem.arena.zero_gradients();
    problem.matrix.gradient()[0].copy_(tensor_of(file.at("gradient.matrix"))[step]);
    problem.vector.gradient()[0].copy_(tensor_of(file.at("gradient.vector"))[step]);
    const double norm = at::linalg_vector_norm(problem.arena.gradients()[0]).item<double>();
    EXPECT_NEAR(norm, tensor_of(file.at("gradient_norm"))[step].item<double>(), 1e-5 * norm);
    UpdateRow row, idle;
    row.learning_rate = learning_rate_at(schedule, number(file, "peak"), step, steps);
    EXPECT_NEAR(row.learning_rate, rates[step].item<double>(), 1e-12);
    row.gradient_scale = std::min(1.0, clip_norm / (norm + 1e-6));
    idle.active = false;
    (optimizer.*GetParam())(optimizer.table({row, idle}, step));
    // A float has 2^-24 of relative rounding; 20 updates of a handful of operations each.
    EXPECT_TRUE(at::allclose(problem.matrix.value()[0], tensor_of(file.at("value.matrix"))[step],
                             2e-6, 1e-7));
    EXPECT_TRUE(at::allclose(problem.vector.value()[0], tensor_of(file.at("value.vector"))[step],
                             2e-6, 1e-7));
  }
  EXPECT_EQ(problem.arena.values()[1].abs().sum().item<double>(), 0.0);
}

TEST_P(AdamWTest, FrozenRowsMayHoldNaNWithoutTouchingOthers) {
  const SafetensorsFile file(std::string(SCALELAW_SOURCE_DIR) + "/tests/golden/adamw.safetensors");
  Problem together(file, 2), alone(file, 1);
  const at::NoGradGuard no_grad;
  const at::Tensor gradient = at::randn({together.arena.row_length()});
  together.arena.values()[1].fill_(0.5);
  together.arena.gradients()[0].copy_(gradient);
  together.arena.gradients()[1].fill_(std::numeric_limits<float>::quiet_NaN());
  alone.arena.gradients()[0].copy_(gradient);
  UpdateRow row, frozen;
  row.learning_rate = 0.1;
  frozen.active = false;
  AdamW two(together.arena, std::vector<OptimizerConfig>(2)), one(alone.arena, {OptimizerConfig{}});
  (two.*GetParam())(two.table({row, frozen}));
  (one.*GetParam())(one.table({row}));
  EXPECT_TRUE(at::equal(together.arena.values()[0], alone.arena.values()[0]));
  EXPECT_TRUE(at::equal(together.arena.values()[1], at::full({together.arena.row_length()}, 0.5)));
}

TEST(AdamW, CountsTheUpdatesOfActiveRows) {
  const SafetensorsFile file(std::string(SCALELAW_SOURCE_DIR) + "/tests/golden/adamw.safetensors");
  Problem problem(file, 2);
  AdamW optimizer(problem.arena, std::vector<OptimizerConfig>(2));
  UpdateRow row, idle;
  row.learning_rate = 0.1;
  idle.active = false;
  const at::Tensor fourth = optimizer.table({row, row}, 3);
  for (int i = 0; i < 3; ++i) optimizer.update({row, idle});
  EXPECT_EQ(optimizer.updates_done(0), 3);
  EXPECT_EQ(optimizer.updates_done(1), 0);
  const at::Tensor next = optimizer.table({row, row});
  EXPECT_TRUE(at::equal(next[0], fourth[0]));
  EXPECT_FALSE(at::equal(next[1], fourth[1]));
}

}  // namespace
}  // namespace scalelaw
