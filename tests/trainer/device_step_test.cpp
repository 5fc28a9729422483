// Steps on the device against train_step(), the eager step: `==`, since on a CPU the same kernels
// run in the same order on the same operands.
#include "trainer/device_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/stack.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "trainer/data/batch_stream.h"
#include "trainer/lr_schedule.h"

namespace scalelaw {
namespace {

constexpr int64_t kContext = 8, kWindows = 4, kVocabulary = 11, kCorpus = 403;
constexpr int64_t kSteps = 12;

// Replicas with rates, horizons, clipping and orders of the data of their own.
class Trained {
 public:
  Trained(const std::string& arch, int64_t replicas, int64_t micro_batch_windows,
          int64_t windows = kWindows)
      : replicas_(replicas), micro_(micro_batch_windows), windows_(windows) {
    ModelShape shape;
    shape.arch = arch;
    shape.d_model = 16;
    shape.n_head = 2;
    shape.n_ctx = kContext;
    shape.n_vocab = kVocabulary;
    model_ = make_model(shape, {}, arena_);
    arena_.allocate(replicas, at::kCPU);
    std::vector<OptimizerConfig> configs;
    for (int64_t r = 0; r < replicas; ++r) {
      arena_.initialise(r, 1 + r);
      OptimizerConfig config;
      config.beta2 = 0.95 + 0.01 * static_cast<double>(r);
      config.weight_decay = 0.1 * static_cast<double>(r);
      configs.push_back(config);
      clip_norms_.push_back(static_cast<double>(2 - r));  // the third is not clipped
      streams_.emplace_back(BatchGeometry{kContext, windows_, kCorpus}, 1 + r);
    }
    optimizer_ = std::make_unique<AdamW>(arena_, std::move(configs));
  }

  void blow_up_at(int64_t replica, int64_t step) { blown_replica_ = replica, blown_step_ = step; }
  void measure_every(int64_t steps) { measure_every_ = steps; }
  void end_at(int64_t replica, int64_t step) { ended_replica_ = replica, ended_step_ = step; }

  std::vector<StepResult> eagerly(const at::Tensor& corpus, int64_t first, int64_t steps) {
    std::vector<StepResult> results;
    for (int64_t step = first; step < first + steps; ++step) {
      const StepPlan plan = plan_of(step);
      const auto cut = [&](int64_t shift) {
        std::vector<at::Tensor> windows;
        for (const auto& starts : plan.window_starts) {
          for (const int64_t start : starts) {
            windows.push_back(corpus.narrow(0, start + shift, kContext));
          }
        }
        return at::stack(windows).view({replicas_, windows_, kContext}).to(at::kLong);
      };
      results.push_back(train_step(*model_, arena_, *optimizer_, cut(0), cut(1), micro_,
                                   clip_norms_, plan.rows,
                                   /*over_ranks=*/nullptr, plan.measure_small_batch));
      account(results.back());
    }
    return results;
  }

  DeviceStep& device_step(const at::Tensor& corpus) {
    if (!device_step_) {
      device_step_ = std::make_unique<DeviceStep>(
          *model_, arena_, *optimizer_, DeviceCorpus(corpus),
          DeviceStepOptions{windows_, micro_, clip_norms_, /*capacity=*/kSteps});
    }
    return *device_step_;
  }

  std::vector<StepResult> on_device(const at::Tensor& corpus, int64_t first, int64_t steps) {
    std::vector<StepPlan> plans;
    for (int64_t step = first; step < first + steps; ++step) plans.push_back(plan_of(step));
    std::vector<StepResult> results = device_step(corpus).run(plans);
    for (const StepResult& result : results) account(result);
    return results;
  }

  ParameterArena& arena() { return arena_; }
  AdamW& optimizer() { return *optimizer_; }

 private:
  StepPlan plan_of(int64_t step) const {
    StepPlan plan;
    plan.measure_small_batch = measure_every_ > 0 && (step + 1) % measure_every_ == 0;
    for (int64_t r = 0; r < replicas_; ++r) {
      plan.window_starts.push_back(streams_[static_cast<std::size_t>(r)].window_starts(step));
      UpdateRow row;
      row.active = diverged_.empty() || !diverged_[static_cast<std::size_t>(r)];
      if (r == ended_replica_ && step >= ended_step_) row.active = false;
      row.learning_rate = learning_rate_at({}, 0.01 * static_cast<double>(1 + r), step, kSteps + r);
      if (r == blown_replica_ && step == blown_step_) row.learning_rate = 1e38;
      plan.rows.push_back(row);
    }
    return plan;
  }
  void account(const StepResult& result) {
    diverged_.resize(result.updated.size(), false);
    for (std::size_t r = 0; r < diverged_.size(); ++r) {
      if (!std::isfinite(result.loss_nats[r]) || !std::isfinite(result.grad_norm[r])) {
        diverged_[r] = true;
      }
    }
  }

  int64_t replicas_, micro_, windows_;
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<DeviceStep> device_step_;
  std::vector<double> clip_norms_;
  std::vector<BatchStream> streams_;
  std::vector<bool> diverged_;
  int64_t blown_replica_ = -1, blown_step_ = -1, ended_replica_ = -1, ended_step_ = -1;
  int64_t measure_every_ = 0;
};

at::Tensor random_corpus() {
  return at::randint(kVocabulary, {kCorpus}, at::kShort);
}

void expect_equal(Trained& a, Trained& b) {
  EXPECT_TRUE(at::equal(a.arena().values(), b.arena().values()));
  EXPECT_TRUE(at::equal(a.optimizer().first_moment(), b.optimizer().first_moment()));
  EXPECT_TRUE(at::equal(a.optimizer().second_moment(), b.optimizer().second_moment()));
  for (int64_t r = 0; r < a.arena().replicas(); ++r) {
    EXPECT_EQ(a.optimizer().updates_done(r), b.optimizer().updates_done(r));
  }
}

void expect_equal(const std::vector<StepResult>& a, const std::vector<StepResult>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t step = 0; step < a.size(); ++step) {
    EXPECT_EQ(a[step].updated, b[step].updated) << "step " << step;
    const auto& small = a[step].small_batch_grad_norm;
    ASSERT_EQ(small.size(), b[step].small_batch_grad_norm.size()) << "step " << step;
    for (std::size_t r = 0; r < a[step].updated.size(); ++r) {
      if (!a[step].updated[r]) continue;  // what a frozen row computes is nobody's
      EXPECT_EQ(a[step].loss_nats[r], b[step].loss_nats[r]) << step << ", replica " << r;
      EXPECT_EQ(a[step].grad_norm[r], b[step].grad_norm[r]) << step << ", replica " << r;
      if (!small.empty()) {
        EXPECT_EQ(small[r], b[step].small_batch_grad_norm[r]) << step << ", replica " << r;
      }
    }
  }
}

using Case = std::tuple<std::string, int64_t, int64_t>;  // arch, R, micro-batch
class DeviceStepTest : public testing::TestWithParam<Case> {
 protected:
  Trained make() const {
    return Trained(std::get<0>(GetParam()), std::get<1>(GetParam()), std::get<2>(GetParam()));
  }
  at::Tensor corpus_ = random_corpus();
};
INSTANTIATE_TEST_SUITE_P(Cases, DeviceStepTest,
                         testing::Combine(testing::Values("transformer", "lstm"),
                                          testing::Values(1, 3), testing::Values(4, 1)),
                         [](const auto& at) {
                           return std::get<0>(at.param) + "_R" +
                                  std::to_string(std::get<1>(at.param)) + "_micro" +
                                  std::to_string(std::get<2>(at.param));
                         });

TEST_P(DeviceStepTest, AWindowOfStepsEqualsTheEagerSteps) {
  Trained eager = make(), device = make();
  expect_equal(device.on_device(corpus_, 0, kSteps), eager.eagerly(corpus_, 0, kSteps));
  expect_equal(device, eager);
  EXPECT_EQ(device.optimizer().updates_done(0), kSteps);
}

TEST_P(DeviceStepTest, HoweverStepsAreCutIntoWindowsTheResultIsTheSame) {
  Trained whole = make(), cut = make();
  const auto expected = whole.on_device(corpus_, 0, kSteps);
  std::vector<StepResult> results;
  int64_t first = 0;
  for (const int64_t steps : {1, 5, 4, 2}) {
    for (StepResult& one : cut.on_device(corpus_, first, steps)) results.push_back(one);
    first += steps;
  }
  expect_equal(results, expected);
  expect_equal(cut, whole);
}

TEST_P(DeviceStepTest, EagerAndDeviceStepsTakeTurns) {
  Trained eager = make(), mixed = make();
  eager.eagerly(corpus_, 0, 9);
  mixed.on_device(corpus_, 0, 4);
  mixed.eagerly(corpus_, 4, 2);
  mixed.on_device(corpus_, 6, 3);
  expect_equal(mixed, eager);
}

TEST_P(DeviceStepTest, AReplicaThatDivergesWithinAWindowIsIdleFromThereOn) {
  Trained eager = make(), device = make();
  const int64_t last = std::get<1>(GetParam()) - 1;
  eager.blow_up_at(last, 3);
  device.blow_up_at(last, 3);
  const auto expected = eager.eagerly(corpus_, 0, kSteps);
  expect_equal(device.on_device(corpus_, 0, kSteps), expected);
  expect_equal(device, eager);
  EXPECT_EQ(device.optimizer().updates_done(last), 4);
  EXPECT_TRUE(expected[3].updated.back());
  EXPECT_FALSE(expected[4].updated.back());
  if (last > 0) {
    EXPECT_TRUE(expected.back().updated.front());
  }
}

TEST_P(DeviceStepTest, AnIdleReplicaKeepsItsBitsAndTheOthersTheirs) {
  Trained eager = make(), device = make();
  eager.end_at(0, 5);
  device.end_at(0, 5);
  eager.eagerly(corpus_, 0, kSteps);
  device.on_device(corpus_, 0, 5);
  device.on_device(corpus_, 5, kSteps - 5);
  expect_equal(device, eager);
  EXPECT_EQ(device.optimizer().updates_done(0), 5);
}

TEST_P(DeviceStepTest, SmallBatchesAreMeasuredAsByEagerStepsAndChangeNone) {
  Trained unmeasured = make();
  const auto expected = unmeasured.on_device(corpus_, 0, kSteps);
  for (const int64_t every : {1, 3, 5}) {
    Trained eager = make(), device = make();
    eager.measure_every(every);
    device.measure_every(every);
    EXPECT_EQ(device.device_step(corpus_).capture_small_batch(),
              "CUDA graphs need a GPU, this is cpu");
    auto results = device.on_device(corpus_, 0, kSteps);
    expect_equal(results, eager.eagerly(corpus_, 0, kSteps));
    for (int64_t step = 0; step < kSteps; ++step) {
      auto& small = results[static_cast<std::size_t>(step)].small_batch_grad_norm;
      EXPECT_EQ(small.empty(), (step + 1) % every != 0) << step;
      small.clear();
    }
    expect_equal(results, expected);
    expect_equal(device, unmeasured);
  }
}

// Of 18 windows the first, ninth and seventeenth, in pieces of 3 or of 1.
TEST_P(DeviceStepTest, SmallBatchesOfManyWindowsAreThoseOfEagerSteps) {
  const auto& [arch, replicas, unused] = GetParam();
  for (const int64_t micro_batch_windows : {6, 2}) {
    Trained eager(arch, replicas, micro_batch_windows, 18);
    Trained device(arch, replicas, micro_batch_windows, 18);
    eager.measure_every(2);
    device.measure_every(2);
    expect_equal(device.on_device(corpus_, 0, 4), eager.eagerly(corpus_, 0, 4));
    expect_equal(device, eager);
  }
}

TEST_P(DeviceStepTest, AReplicaThatDivergesSpoilsNoOthersSmallBatch) {
  Trained eager = make(), device = make(), healthy = make();
  const int64_t last = std::get<1>(GetParam()) - 1;
  for (Trained* each : {&eager, &device, &healthy}) each->measure_every(2);
  eager.blow_up_at(last, 3);
  device.blow_up_at(last, 3);
  const auto results = device.on_device(corpus_, 0, 6);
  const auto expected = healthy.on_device(corpus_, 0, 6);
  expect_equal(results, eager.eagerly(corpus_, 0, 6));
  EXPECT_FALSE(results.back().updated.back());
  for (std::size_t step = 1; step < results.size(); step += 2) {
    for (std::size_t r = 0; r < static_cast<std::size_t>(last); ++r) {
      EXPECT_EQ(results[step].small_batch_grad_norm[r], expected[step].small_batch_grad_norm[r])
          << step << ", replica " << r;
    }
  }
}

TEST_P(DeviceStepTest, OnACpuACaptureIsRefusedAndTheStepsGoOn) {
  Trained eager = make(), device = make();
  EXPECT_EQ(device.device_step(corpus_).capture(), "CUDA graphs need a GPU, this is cpu");
  EXPECT_FALSE(device.device_step(corpus_).captured());
  expect_equal(device.on_device(corpus_, 0, 3), eager.eagerly(corpus_, 0, 3));
  expect_equal(device, eager);
}

TEST(DeviceCorpus, IdsOfSixteenAndOfThirtyTwoBitsGiveTheSameWindows) {
  const at::Tensor ids = at::randint(65536, {kCorpus}, at::kLong);
  const at::Tensor starts = at::randint(kCorpus - 9, {2, 3}, at::kLong);
  const Batch narrow = DeviceCorpus(ids.to(at::kShort)).gather(starts, 8);
  const Batch wide = DeviceCorpus(ids.to(at::kInt)).gather(starts, 8);
  EXPECT_TRUE(at::equal(narrow.inputs, wide.inputs));
  EXPECT_TRUE(at::equal(narrow.targets, wide.targets));
  const auto start = starts[1][2].item<int64_t>();
  EXPECT_TRUE(at::equal(wide.inputs[1][2], ids.narrow(0, start, 8)));
  EXPECT_TRUE(at::equal(wide.targets[1][2], ids.narrow(0, start + 1, 8)));
}

TEST(DeviceCorpus, WhatDoesNotFitIsRefusedWithItsSize) {
  EXPECT_EQ(corpus_refusal(1000, 2, 4000), "");
  EXPECT_EQ(
      corpus_refusal(1'000'000, 4, 4'000'000),
      "the run's 1M training tokens are 4M bytes, more than half of the 4M that the device has "
      "free");
}

}  // namespace
}  // namespace scalelaw
