// Which steps are measured for a plan, how, and what is kept of them.
#include "sweeps/device/calibration.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "sweeps/device/calibration_steps.h"
#include "sweeps/device/step_timing.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

PlanOptions with_jobs(int jobs) {
  PlanOptions options;
  options.workers.jobs = jobs;
  return options;
}

std::vector<MeasuredStep> of_arch(const CalibrationSteps& chosen, const std::string& arch) {
  std::vector<MeasuredStep> steps;
  for (const MeasuredStep& step : chosen.steps) {
    if (step.shape.arch == arch) steps.push_back(step);
  }
  return steps;
}

CalibratedDevice a_cpu(const std::optional<fs::path>& file) {
  return {DeviceKind::kCpu, "", "a CPU, 2 cores", file, file ? "" : "no place for it"};
}

class CalibrationTest : public testing::Test {
 protected:
  Plan plan(const std::string& cells, int jobs = 2) const {
    return small_plan(temp_.path(), cells, with_jobs(jobs));
  }
  // A program in place of the trainer.
  fs::path trainer(const std::string& script) const {
    const fs::path file = temp_.path() / "trainer";
    std::ofstream(file) << "#!/bin/sh\n" << script << "\n";
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }
  fs::path steady_trainer(const std::string& seconds = "0.01") const {
    return trainer("echo \"$@\" >> '" + (temp_.path() / "calls").string() +
                   "'\necho ready\nread begin\necho '{\"step_cpu_seconds_median\": " + seconds +
                   ", \"start_cpu_seconds\": 0.25}'");
  }
  int64_t calls() const {
    std::ifstream file(temp_.path() / "calls");
    return std::count(std::istreambuf_iterator<char>(file), {}, '\n');
  }

  TempDir temp_;
};

TEST_F(CalibrationTest, MedianLargestAndSmallestOfEachArchitectureAreMeasured) {
  const Plan of_two = plan(
      "arms: {t: {model: {arch: transformer}}, l: {model: {arch: lstm, n_layer: 1}}}, "
      "blocks: [{name: sizes, grid: {model.d_model: [8, 16, 24, 32, 40, 48, 64]}},"
      " {name: seeds, model: {d_model: 16}, grid: {seeds.init: [2, 3, 4, 5, 6, 7, 8, 9]}}]");
  const CalibrationSteps chosen = steps_to_measure(of_two);
  EXPECT_TRUE(chosen.left_out.empty());
  ASSERT_EQ(chosen.steps.size(), 10u);
  EXPECT_NE(chosen.steps[0].shape.arch, chosen.steps[1].shape.arch) << "in turn";
  for (const std::string arch : {"transformer", "lstm"}) {
    const std::vector<MeasuredStep> steps = of_arch(chosen, arch);
    ASSERT_EQ(steps.size(), 5u);
    EXPECT_EQ(steps[0].shape.d_model, 16) << "nine of fifteen cells";
    EXPECT_EQ(steps[1].shape.d_model, 64);
    EXPECT_EQ(steps[2].shape.d_model, 8);
    EXPECT_EQ(steps[3].packing, (Packing{1, 1})) << "the median alone";
    EXPECT_EQ(steps[3].shape, steps[0].shape);
    EXPECT_EQ(steps[4].shape.d_model, 32);
    for (const std::size_t i : {0, 1, 2, 4}) EXPECT_EQ(steps[i].packing, (Packing{1, 2}));
  }
}

TEST_F(CalibrationTest, OneShapeIsMeasuredWithOtherBatchesSoThatALawFollows) {
  for (const int jobs : {1, 2}) {
    const CalibrationSteps chosen = steps_to_measure(plan("grid: {seeds.init: [1, 2, 3]}", jobs));
    std::set<int64_t> batches;
    for (const MeasuredStep& step : chosen.steps) batches.insert(step.batch_tokens);
    EXPECT_EQ(batches, (std::set<int64_t>{8, 16, 32, 64})) << "of windows of 8 tokens";
    EXPECT_GE(chosen.steps.size(), 4u);
    EXPECT_EQ(chosen.steps[0].batch_tokens, 32) << "the sweep's own first";
  }
  const CalibrationSteps of_one = steps_to_measure(plan("grid: {seeds.init: [1]}", 16));
  EXPECT_EQ(of_one.steps[0].packing, (Packing{1, 1})) << "no more processes than cells";
}

TEST_F(CalibrationTest, StepsThatAreTooLongOrInPiecesAreNot) {
  PlanOptions slow = with_jobs(1);
  const std::string two = "grid: {model.d_model: [8, 512]}";
  const Plan fast = small_plan(temp_.path(), two, slow);
  const auto largest = [](const CalibrationSteps& chosen) {
    return std::ranges::max(chosen.steps, {}, [](const auto& step) { return step.shape.d_model; })
        .shape.d_model;
  };
  EXPECT_EQ(largest(steps_to_measure(fast)), 512);
  const double flops_a_step = *fast.cells[1].train_flops / static_cast<double>(fast.cells[1].steps);
  slow.flops_per_second = flops_a_step / bench_way(DeviceKind::kCpu).longest_step_seconds / 1.01;
  EXPECT_EQ(largest(steps_to_measure(small_plan(temp_.path(), two, slow))), 8);
  slow.flops_per_second = 1;
  const CalibrationSteps none = steps_to_measure(small_plan(temp_.path(), two, slow));
  EXPECT_TRUE(none.steps.empty());
  ASSERT_EQ(none.left_out.size(), 1u);
  EXPECT_TRUE(
      none.left_out[0].starts_with("transformer in fp32: each step would take more than 2 s"))
      << none.left_out[0];
  PlanOptions small = with_jobs(1);
  small.memory_bytes = *fast.cells[1].memory_bytes / 2;
  EXPECT_EQ(largest(steps_to_measure(small_plan(temp_.path(), two, small))), 8);
}

TEST_F(CalibrationTest, AStepsTimeIsThatOfItsProcessesTogether) {
  const MeasuredStep step = steps_to_measure(plan("grid: {seeds.init: [1, 2]}")).steps[0];
  ASSERT_EQ(step.packing.processes, 2);
  // Each says another time: 1 / 0.01 + 1 / 0.03 steps a second of both.
  const StepTiming both =
      time_step(trainer("cd '" + temp_.path().string() +
                        "'\necho ready\nread begin\nmkdir first 2> none && t=0.01 || t=0.03\n"
                        "echo \"{\\\"step_cpu_seconds_median\\\": $t}\""),
                step, a_cpu({}), 0.1, monotonic_seconds() + 30);
  EXPECT_EQ(both.fault, "");
  EXPECT_NEAR(both.step_seconds.value_or(0), 0.015, 1e-9);
}

TEST_F(CalibrationTest, ATrainerThatFailsIsQuotedAndOneThatHangsIsKilled) {
  const MeasuredStep step = steps_to_measure(plan("grid: {seeds.init: [1, 2]}")).steps[0];
  const StepTiming failed = time_step(trainer("echo first\necho 'no room for it' >&2\nexit 1"),
                                      step, a_cpu({}), 0.1, monotonic_seconds() + 30);
  EXPECT_FALSE(failed.step_seconds);
  EXPECT_EQ(failed.fault, "no room for it");
  const StepTiming odd =
      time_step(trainer("echo ready\nread begin\necho '{\"step_cpu_seconds_median\": -1}'"), step,
                a_cpu({}), 0.1, monotonic_seconds() + 30);
  EXPECT_FALSE(odd.step_seconds);
  EXPECT_FALSE(odd.fault.empty());
  const double start = monotonic_seconds();
  const StepTiming hangs = time_step(trainer("exec sleep 60"), step, a_cpu({}), 0.1, start + 0.3);
  EXPECT_FALSE(hangs.step_seconds);
  EXPECT_EQ(hangs.fault, "");
  EXPECT_LT(monotonic_seconds() - start, 30);
}

TEST_F(CalibrationTest, WhatIsMeasuredIsKeptAndWhatLacksIsMeasuredFirst) {
  const fs::path cache = temp_.path() / "made" / "for it" / "cpu.yaml";
  const Plan small = plan("grid: {seeds.init: [1, 2]}");
  const Calibration first = calibrate(small, {steady_trainer(), 30}, a_cpu(cache));
  EXPECT_TRUE(first.warnings.empty());
  EXPECT_EQ(first.device.device, "a CPU, 2 cores");
  EXPECT_EQ(first.device.file, cache.string());
  const DeviceFile kept = read_device_file(cache);
  EXPECT_EQ(to_yaml(kept), to_yaml(first.device));
  EXPECT_EQ(kept.rows.size(), 5u);
  EXPECT_EQ(kept.start_seconds, 0.25);
  EXPECT_EQ(calls(), 4 * 2 + 1);
  EXPECT_TRUE(Throughput(kept).step_seconds(
      request_for(small.cells[0].config, small.cells[0].shape, 1), 2));
  // One more shape: its steps first, the others' new times instead of the old ones.
  const Plan larger = plan("grid: {model.d_model: [32, 64], seeds.init: [1, 2]}");
  const Calibration second = calibrate(larger, {steady_trainer("0.5"), 30}, a_cpu(cache));
  const DeviceFile both = read_device_file(cache);
  std::map<double, int> times;
  for (const MeasuredStep& row : both.rows) ++times[row.step_seconds];
  EXPECT_EQ(times[0.5], static_cast<int>(steps_to_measure(larger).steps.size()));
  EXPECT_EQ(both.rows.size(), static_cast<std::size_t>(times[0.5] + times[0.01]));
  EXPECT_GT(times[0.01], 0);
  EXPECT_NE(both.rows[static_cast<std::size_t>(times[0.01])].shape.d_model, 64);
}

TEST_F(CalibrationTest, WhatCannotBeKeptIsUsedAllTheSame) {
  const Plan small = plan("grid: {seeds.init: [1, 2]}");
  std::ofstream(temp_.path() / "a file") << "no folder";
  const Calibration nowhere =
      calibrate(small, {steady_trainer(), 30}, a_cpu(temp_.path() / "a file" / "cpu.yaml"));
  EXPECT_EQ(nowhere.device.rows.size(), 5u);
  EXPECT_EQ(nowhere.device.file, "not kept");
  ASSERT_EQ(nowhere.warnings.size(), 1u);
  EXPECT_NE(nowhere.warnings[0].find("what was measured is not kept: "), std::string::npos);
  const Calibration homeless = calibrate(small, {steady_trainer(), 30}, a_cpu({}));
  ASSERT_EQ(homeless.warnings.size(), 1u);
  EXPECT_EQ(homeless.warnings[0], "what was measured is not kept: no place for it");
  std::ofstream(temp_.path() / "cpu.yaml") << "rows: [";
  const Calibration anew =
      calibrate(small, {steady_trainer(), 30}, a_cpu(temp_.path() / "cpu.yaml"));
  ASSERT_EQ(anew.warnings.size(), 1u);
  EXPECT_TRUE(anew.warnings[0].starts_with("written anew: "));
  EXPECT_EQ(read_device_file(temp_.path() / "cpu.yaml").rows.size(), 5u);
}

TEST_F(CalibrationTest, WhereNothingIsMeasuredThatIsAnError) {
  const Plan small = plan("grid: {seeds.init: [1, 2]}");
  EXPECT_THROW(calibrate(small, {temp_.path() / "none", 5}, a_cpu({})), ConfigError);
  EXPECT_THROW(calibrate(small, {trainer("exit 1"), 5}, a_cpu({})), std::runtime_error);
}

MeasuredStep row_of(int64_t d_model, int processes, double seconds) {
  MeasuredStep row;
  row.shape.d_model = d_model;
  row.shape.n_vocab = 17;
  row.batch_tokens = row.shape.n_ctx;
  row.packing = {1, processes};
  row.step_seconds = seconds;
  return row;
}

TEST(DeviceCache, NewRowsReplaceThoseOfTheSameStepAndOthersStay) {
  const DeviceFile before = {
      "old", "a CPU", DeviceKind::kCpu, "2026-01-01", {row_of(64, 1, 1), row_of(64, 2, 2)}};
  MeasuredStep with_bf16 = row_of(64, 1, 3);
  with_bf16.precision = Precision::kBFloat16;
  const DeviceFile after = merged(
      before, {"new", "a CPU", DeviceKind::kCpu, "2026-02-02", {row_of(64, 2, 4), with_bf16}});
  EXPECT_EQ(after.file, "new");
  EXPECT_EQ(after.date, "2026-02-02");
  ASSERT_EQ(after.rows.size(), 3u);
  EXPECT_EQ(after.rows[0].step_seconds, 1);
  EXPECT_EQ(after.rows[1].step_seconds, 4);
  EXPECT_EQ(after.rows[2].step_seconds, 3);
  EXPECT_EQ(merged(std::nullopt, before).rows.size(), 2u);
  EXPECT_EQ(after.start_seconds, 0) << "of an old cache";
  DeviceFile timed = before;
  timed.start_seconds = 0.3;
  EXPECT_EQ(merged(timed, after).start_seconds, 0.3);
  EXPECT_EQ(merged(after, timed).start_seconds, 0.3);
  DeviceFile many = before;
  many.rows.clear();
  for (int64_t width = 4; many.rows.size() < kMostCachedRows; width += 4) {
    many.rows.push_back(row_of(width, 1, static_cast<double>(width)));
  }
  const DeviceFile bounded =
      merged(many, {"new", "a CPU", DeviceKind::kCpu, "2026-02-02", {row_of(4, 3, 9)}});
  ASSERT_EQ(bounded.rows.size(), kMostCachedRows);
  EXPECT_EQ(bounded.rows.front().step_seconds, 8) << "the oldest is gone";
  EXPECT_EQ(bounded.rows.back().step_seconds, 9);
}

TEST(DeviceCache, LiesInTheUsersCacheFolderUnderTheCpusName) {
  const auto folder = [](const std::map<std::string, std::string>& set) {
    return device_cache_folder([&](const std::string& name) -> std::optional<std::string> {
      const auto found = set.find(name);
      if (found == set.end()) return std::nullopt;
      return found->second;
    });
  };
  EXPECT_EQ(folder({{"XDG_CACHE_HOME", "/c"}, {"HOME", "/h"}}), "/c/scalelaw/devices");
  EXPECT_EQ(folder({{"HOME", "/h"}}), "/h/.cache/scalelaw/devices");
  EXPECT_EQ(folder({{"XDG_CACHE_HOME", "here"}, {"HOME", "/h"}}), "/h/.cache/scalelaw/devices");
  EXPECT_EQ(folder({{"HOME", ""}}), std::nullopt);
  EXPECT_EQ(folder({}), std::nullopt);
  const TempDir temp;
  const fs::path info = temp.path() / "cpuinfo";
  std::ofstream(info) << "processor\t: 0\nmodel name\t: Some (R) CPU @ 2.0GHz\n";
  EXPECT_EQ(cpu_name(1, info), "Some (R) CPU @ 2.0GHz, 1 core");
  EXPECT_EQ(cpu_name(8, temp.path() / "none"), "CPU, 8 cores");
  EXPECT_EQ(device_cache_file("/c", cpu_name(8, info)), "/c/some_r_cpu_2_0ghz_8_cores.yaml");
}

TEST(DeviceCache, WhatCannotBeReadIsToldAndLeftAside) {
  const TempDir temp;
  EXPECT_FALSE(read_cached_device(temp.path() / "none.yaml").device);
  EXPECT_EQ(read_cached_device(temp.path() / "none.yaml").fault, "");
  std::ofstream(temp.path() / "bad.yaml") << "device: [a";
  EXPECT_FALSE(read_cached_device(temp.path() / "bad.yaml").device);
  EXPECT_NE(read_cached_device(temp.path() / "bad.yaml").fault.find("bad.yaml"), std::string::npos);
  EXPECT_NE(read_cached_device(temp.path()).fault, "") << "a folder";
}

}  // namespace
}  // namespace scalelaw
