// Runs whose steps are taken on the device against eager ones: the same books, bit for bit on a
// CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/trainer/pack_fixture.h"
#include "trainer/checkpoint.h"

namespace scalelaw {
namespace {

class PackSteps : public PackTest {
 protected:
  // Members with seeds, rates and horizons of their own.
  std::vector<RunConfig> members(StepKind step) const {
    std::vector<RunConfig> configs(3, tiny_run(GetParam()));
    for (std::size_t r = 0; r < configs.size(); ++r) {
      configs[r].seeds.init = static_cast<int64_t>(1 + r);
      configs[r].seeds.data = static_cast<int64_t>(4 - r);
      configs[r].train.learning_rate = 0.004 * static_cast<double>(1 + r);
      configs[r].how.step = step;
    }
    configs[1].horizon.tokens = 33 * 32;
    return configs;
  }
  // The third diverges between two looks of the host.
  std::vector<RunConfig> one_diverging(StepKind step) const {
    auto configs = members(step);
    configs[2].train.learning_rate = 1e30;
    configs[2].train.optimizer.clip_norm = 0;
    for (RunConfig& config : configs) {
      config.how.log_every = 60;
      config.evaluate.points_per_decade = 0;
      config.train.schedule.warmup = 0.05;
    }
    return configs;
  }
  void expect_equal_runs(const RunFolder& a, const RunFolder& b) {
    expect_equal_metrics(a, b);
    const RunRecord left = read_run_record(a), right = read_run_record(b);
    EXPECT_EQ(left.state, right.state);
    ASSERT_EQ(left.steps, right.steps);
    EXPECT_EQ(left.content_hash, right.content_hash);
    if (left.state == RunState::kDiverged) return;
    EXPECT_EQ(left.final_train_loss_nats, right.final_train_loss_nats);
    EXPECT_EQ(left.test.at("tiny").loss_nats, right.test.at("tiny").loss_nats);
    EXPECT_EQ(weights(a, left.steps), weights(b, right.steps));
  }
};

INSTANTIATE_TEST_SUITE_P(Architectures, PackSteps, testing::Values("transformer", "lstm"));

TEST_P(PackSteps, OnTheDeviceARunEqualsItsEagerSelf) {
  RunConfig config = tiny_run(GetParam());
  const RunFolder eager = run({config}, "eager").front();
  config.how.step = StepKind::kDevice;
  const RunFolder device = run({config}, "device").front();
  expect_equal_runs(device, eager);
  EXPECT_EQ(read_run_record(eager).attempts.front().provenance.step, "eager");
  EXPECT_EQ(read_run_record(device).attempts.front().provenance.step, "device");
  EXPECT_TRUE(read_run_record(device).events.empty());
}

TEST_P(PackSteps, APackOfMixedHorizonsInMicroBatchesEqualsItsEagerSelf) {
  auto eager = members(StepKind::kEager), device = members(StepKind::kDevice);
  for (auto* configs : {&eager, &device}) {
    for (RunConfig& config : *configs) config.how.micro_batch_tokens = 16;
  }
  const auto a = run(eager, "eager"), b = run(device, "device");
  for (std::size_t r = 0; r < 3; ++r) expect_equal_runs(b[r], a[r]);
}

TEST_P(PackSteps, StoppedAndResumedEqualsUninterrupted) {
  const auto whole = run(members(StepKind::kDevice), "whole");
  run(members(StepKind::kDevice), "parts", 17);
  run(members(StepKind::kEager), "parts", 30);
  const auto parts = run(members(StepKind::kDevice), "parts");
  for (std::size_t r = 0; r < 3; ++r) expect_equal_runs(parts[r], whole[r]);
  const auto events = read_run_record(parts[0]).events;
  EXPECT_TRUE(std::ranges::any_of(events, [](const RunEvent& event) {
    return event.kind == "moved" && event.detail == "step device -> eager";
  }));
}

TEST_P(PackSteps, AMemberThatDivergesWithinAWindowEndsAsInAnEagerPack) {
  std::vector<std::vector<RunFolder>> folders;
  for (const StepKind step : {StepKind::kEager, StepKind::kDevice}) {
    const auto configs = one_diverging(step);
    folders.push_back(run(configs, step == StepKind::kEager ? "eager" : "device"));
  }
  for (std::size_t r = 0; r < 3; ++r) expect_equal_runs(folders[1][r], folders[0][r]);
  const RunRecord eager = read_run_record(folders[0][2]), device = read_run_record(folders[1][2]);
  EXPECT_EQ(device.state, RunState::kDiverged);
  ASSERT_FALSE(device.events.empty());
  EXPECT_EQ(device.events.back().kind, "diverged");
  EXPECT_EQ(device.events.back().step, device.steps + 1);
  EXPECT_EQ(device.events.back().step, eager.events.back().step);
  EXPECT_EQ(device.events.back().detail, eager.events.back().detail);
}

TEST_P(PackSteps, ADivergenceWithinAWindowThatCannotBeRecordedCostsThePackNothing) {
  const auto configs = one_diverging(StepKind::kDevice);
  const auto whole = run(configs, "whole");
  std::vector<RunFolder> folders;
  for (const RunFolder& folder : whole) {
    folders.push_back({temp_.path() / "runs" / folder.path.filename()});
  }
  fs::create_directories(folders[2].merged_metrics() / "in the way");
  EXPECT_THROW(run(configs, "runs"), std::exception);
  const auto steps = checkpoint_steps(folders[0]);
  ASSERT_EQ(steps.size(), 1u);
  EXPECT_EQ(checkpoint_steps(folders[1]), steps);
  EXPECT_EQ(checkpoint_steps(folders[2]), steps);
  EXPECT_GE(steps.front(), read_run_record(whole[2]).events.back().step);
  fs::remove_all(folders[2].merged_metrics());
  run(configs, "runs");
  for (std::size_t r = 0; r < 3; ++r) expect_equal_runs(folders[r], whole[r]);
  EXPECT_EQ(read_run_record(folders[2]).events.back().step,
            read_run_record(whole[2]).events.back().step);
}

TEST_P(PackSteps, AGraphIsRefusedOnACpuAndTheRecordSaysWhy) {
  RunConfig config = tiny_run(GetParam());
  const RunFolder eager = run({config}, "eager").front();
  config.how.step = StepKind::kGraph;
  const RunFolder graph = run({config}, "graph").front();
  expect_equal_runs(graph, eager);
  const RunRecord record = read_run_record(graph);
  EXPECT_EQ(record.attempts.front().provenance.step, "device");
  ASSERT_EQ(record.events.size(), 1u);
  EXPECT_EQ(record.events.front().kind, "step_refused");
  EXPECT_NE(record.events.front().detail.find("CUDA graphs need a GPU"), std::string::npos);
  EXPECT_NE(notes_.find("CUDA graphs need a GPU"), std::string::npos) << notes_;
}

// Eagerly, on the device and cut in two: the same numbers; and the training that there is without.
TEST_P(PackSteps, TheNoiseScaleIsMeasuredAndChangesNoStep) {
  const auto configs = [&](StepKind step, int64_t every) {
    auto all = members(step);
    for (RunConfig& config : all) config.evaluate.noise_scale_every = every;
    return all;
  };
  const auto without = run(configs(StepKind::kEager, 0), "without");
  const auto eager = run(configs(StepKind::kEager, 2), "eager");
  const auto device = run(configs(StepKind::kDevice, 2), "device");
  // Measured at 16, between the lines after 14 and 18: what it has of the next line is kept.
  const auto stopped = run(configs(StepKind::kEager, 2), "parts", 17);
  for (const RunFolder& folder : stopped) {
    const TrainingCursor cursor = read_cursor(checkpoint_file(folder, 17));
    EXPECT_EQ(cursor.grad_sq_norm_since_line.count, 1);
    EXPECT_EQ(cursor.grad_noise_since_line.count, 1);
  }
  const auto parts = run(configs(StepKind::kDevice, 2), "parts");
  for (std::size_t r = 0; r < 3; ++r) {
    expect_equal_runs(device[r], eager[r]);
    expect_equal_runs(parts[r], eager[r]);
    const RunRecord record = read_run_record(eager[r]), plain = read_run_record(without[r]);
    EXPECT_NE(record.content_hash, plain.content_hash);
    EXPECT_EQ(record.final_train_loss_nats, plain.final_train_loss_nats);
    EXPECT_EQ(record.test.at("tiny").loss_nats, plain.test.at("tiny").loss_nats);
    EXPECT_EQ(weights(eager[r], record.steps), weights(without[r], plain.steps));
    EXPECT_FALSE(plain.noise_scale.has_value());
    int64_t in_second_half = 0, measurements = 0;
    for (const MetricsRow& row : read_metrics(eager[r])) {
      const int64_t of_line = row.noise_measurements.value_or(0);
      measurements += of_line;
      if (row.step > record.steps / 2) in_second_half += of_line;
      const bool told = row.noise_scale_tokens.has_value();
      EXPECT_EQ(told, row.grad_sq_norm.value_or(0) > 0) << row.step;
    }
    EXPECT_EQ(measurements, record.steps / 2);
    ASSERT_TRUE(record.noise_scale.has_value());
    EXPECT_EQ(record.noise_scale->measurements, in_second_half);
    for (const RunFolder& other : {device[r], parts[r]}) {
      EXPECT_EQ(read_run_record(other).noise_scale->grad_noise_tokens,
                record.noise_scale->grad_noise_tokens);
      EXPECT_EQ(read_run_record(other).noise_scale->tokens, record.noise_scale->tokens);
    }
  }
}

// Nor does the member's own mean hold what it computed while it was frozen; no line of it was due.
TEST_P(PackSteps, AMemberThatDivergesSpoilsNoNoiseScale) {
  for (const StepKind step : {StepKind::kEager, StepKind::kDevice}) {
    auto diverging = one_diverging(step), healthy = diverging;
    healthy[2].train.learning_rate = 0.004;
    for (auto* configs : {&diverging, &healthy}) {
      for (RunConfig& config : *configs) config.evaluate.noise_scale_every = 1;
    }
    const std::string way = step == StepKind::kEager ? "eager" : "device";
    const auto seen = run(diverging, way + " diverging"), expected = run(healthy, way);
    for (std::size_t r = 0; r < 2; ++r) expect_equal_runs(seen[r], expected[r]);
    const RunRecord record = read_run_record(seen[2]);
    ASSERT_EQ(record.state, RunState::kDiverged);
    EXPECT_TRUE(read_metrics(seen[2]).empty());
    ASSERT_TRUE(record.noise_scale.has_value());
    EXPECT_EQ(record.noise_scale->measurements, record.steps);
    EXPECT_TRUE(std::isfinite(record.noise_scale->grad_noise_tokens));
    EXPECT_TRUE(std::isfinite(record.noise_scale->grad_sq_norm));
  }
}

// Once it knows how long a step takes, the host looks where something is due and nowhere else.
TEST_P(PackSteps, TheHostLooksWhereALineOrAnEvaluationIsDue) {
  RunConfig config = tiny_run(GetParam());
  config.how.step = StepKind::kDevice;
  config.how.log_every = 20;
  config.evaluate.points_per_decade = 1;  // after steps 1 and 10
  class Looks : public Observer {
   public:
    bool due(const Pack& pack) override { return steps.push_back(pack.step()), false; }
    void observe(Pack&) override {}
    int64_t next_due(const Pack&) const override { return kNoStep; }
    std::vector<int64_t> steps;
  };
  Pack pack({config}, options("runs"));
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  observers.push_back(std::make_unique<Looks>());
  const auto* looks = static_cast<const Looks*>(observers.back().get());
  std::atomic<bool> stop{false};
  EXPECT_EQ(train(pack, observers, stop), TrainOutcome::kFinished);
  for (const int64_t due : {1, 10, 20, 40, 60}) {
    EXPECT_EQ(std::ranges::count(looks->steps, due), 1) << due;
  }
  EXPECT_LT(looks->steps.size(), 30u);  // of 61: the start and every step of an eager run
}

}  // namespace
}  // namespace scalelaw
