// `--calibrate` for runs on a GPU, with a script in place of the trainer and files in place of the
// driver: all but the step on a GPU itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sweeps/device/calibration.h"
#include "sweeps/device/calibration_steps.h"
#include "sweeps/device/packing.h"
#include "sweeps/device/step_timing.h"
#include "sweeps/plan/plan_options.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSizes = "grid: {model.d_model: [16, 24, 32, 64], seeds.init: [1, 2, 3, 4]}";

PlanOptions on_gpus(std::vector<std::string> gpus = {""}, int jobs = 1, int64_t replicas = 4) {
  PlanOptions options;
  options.workers = {DeviceKind::kGpu, std::move(gpus), jobs, replicas};
  return options;
}

class GpuCalibration : public testing::Test {
 protected:
  GpuCalibration() { unsetenv("CUDA_VISIBLE_DEVICES"); }
  ~GpuCalibration() override {
    unsetenv("CUDA_VISIBLE_DEVICES");
    setenv("XDG_CACHE_HOME", "/dev/null/no-cache", 1);
  }

  Plan plan(const std::string& cells, const PlanOptions& options) const {
    return small_plan(temp_.path(), cells, options);
  }
  // Prints what the real one prints of a GPU, with a wall time by an expression of awk over R.
  fs::path trainer(const std::string& seconds) const {
    const fs::path file = temp_.path() / "trainer";
    std::ofstream(file) << "#!/bin/sh\necho \"$CUDA_VISIBLE_DEVICES $@\" >> '" << calls_.string()
                        << "'\nfor word; do case $word in --replicas=*) R=${word#*=};; esac; done\n"
                           "echo 'a note about kernels' >&2\necho ready\nread begin\n"
                           "awk -v R=$R 'BEGIN { printf "
                           "\"{\\\"step\\\":\\\"graph\\\",\\\"step_cpu_seconds_median\\\":"
                           "77.0,\\\"step_wall_seconds_median\\\":%.9f}\\n\", "
                        << seconds << " }'\n";
    fs::permissions(file, fs::perms::owner_all);
    return file;
  }
  std::vector<std::string> calls() const {
    std::ifstream file(calls_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  TempDir temp_;
  fs::path calls_ = temp_.path() / "calls";
};

TEST_F(GpuCalibration, PacksAreMeasuredAndTheirShapesAlone) {
  const CalibrationSteps chosen = steps_to_measure(plan(kSizes, on_gpus()));
  EXPECT_TRUE(chosen.left_out.empty());
  std::vector<std::pair<int64_t, int64_t>> of_one;  // width, replicas
  for (const MeasuredStep& step : chosen.steps) {
    of_one.emplace_back(step.shape.d_model, step.packing.replicas);
    EXPECT_EQ(step.packing.processes, 1);
  }
  using Steps = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(of_one,
            (Steps{{24, 4}, {64, 4}, {16, 4}, {24, 1}, {32, 4}, {64, 1}, {16, 1}, {32, 1}}));

  // Of eight packs on two GPUs, three processes on each: what one GPU has.
  const CalibrationSteps beside =
      steps_to_measure(plan(kSizes, on_gpus({"0", "1"}, 3, /*replicas=*/2)));
  std::vector<Packing> packings;
  for (const MeasuredStep& step : beside.steps) packings.push_back(step.packing);
  EXPECT_EQ(packings, (std::vector<Packing>{
                          {2, 3}, {2, 3}, {2, 3}, {1, 1}, {2, 3}, {2, 1}, {1, 1}, {1, 1}, {1, 1}}));
  const CalibrationSteps few = steps_to_measure(plan(kSizes, on_gpus({"0", "1", "2"}, 3, 4)));
  EXPECT_EQ(few.steps[0].packing.processes, 2) << "four packs on three GPUs";
}

TEST_F(GpuCalibration, PacksOfTooLongStepsAreMeasuredInPartAndOtherKindsOfStepNot) {
  const auto steps_of = [&](int layers) {
    return steps_to_measure(
        plan("blocks: [{name: b, train: {batch_tokens: 1024}, model: {d_model: 1024, n_layer: " +
                 std::to_string(layers) + "}, grid: {seeds.init: [1, 2, 3, 4, 5, 6, 7, 8]}}]",
             on_gpus({""}, 1, /*replicas=*/8)));
  };
  const CalibrationSteps some = steps_of(6);
  ASSERT_FALSE(some.steps.empty());
  EXPECT_EQ(some.steps[0].batch_tokens, 1024);
  EXPECT_EQ(some.steps[0].packing, (Packing{2, 1})) << "eight and four would take too long";
  const CalibrationSteps none_short = steps_of(60);
  EXPECT_TRUE(none_short.steps.empty());
  ASSERT_EQ(none_short.left_out.size(), 1u);
  EXPECT_NE(none_short.left_out[0].find("0.125 s at rates that are assumed of a GPU"),
            std::string::npos)
      << none_short.left_out[0];
  const Plan eager = plan("how: {step: eager}, grid: {seeds.init: [1, 2]}", on_gpus());
  const CalibrationSteps none = steps_to_measure(eager);
  EXPECT_TRUE(none.steps.empty());
  ASSERT_EQ(none.left_out.size(), 1u);
  EXPECT_EQ(none.left_out[0],
            "transformer in fp32: its runs ask for how.step: eager, and steps are timed as graph");
  try {
    calibrate(eager, {trainer("1"), 5}, {DeviceKind::kGpu, "", "a GPU", std::nullopt, "no place"});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("how.step: eager"), std::string::npos) << error.what();
  }
}

TEST_F(GpuCalibration, StepsAreTimedAsRunsMakeThemOnTheFirstGpuByTheWallClock) {
  const Plan of_two = plan(kSizes, on_gpus({"GPU-5e8d", "GPU-77aa"}, 2));
  const MeasuredStep step = steps_to_measure(of_two).steps[0];
  ASSERT_EQ(step.packing, (Packing{4, 2}));
  const StepTiming timing = time_step(trainer("R * 0.01"), step,
                                      {DeviceKind::kGpu, "GPU-5e8d", "a GPU", std::nullopt, ""},
                                      0.1, monotonic_seconds() + 30);
  EXPECT_EQ(timing.fault, "");
  EXPECT_NEAR(timing.step_seconds.value_or(0), 0.04, 1e-9);
  ASSERT_EQ(calls().size(), 2u);
  for (const std::string& call : calls()) {
    EXPECT_TRUE(
        call.starts_with("GPU-5e8d bench --together --json --no-ceiling --threads=1 "
                         "--device=cuda --step=graph --warmup=10 --steps=2 "))
        << call;
    EXPECT_TRUE(call.ends_with(" --replicas=4")) << call;
  }
}

// A machine with one GPU of a model, as its files tell it.
class OnAGpuMachine : public GpuCalibration {
 protected:
  OnAGpuMachine() {
    setenv("XDG_CACHE_HOME", (temp_.path() / "cache").c_str(), 1);
    write_tiny_data_set(temp_.path() / "data");
    fs::create_directories(root_ / "dev");
    std::ofstream(root_ / "dev/nvidia0") << "";
    is_a("NVIDIA H100 80GB HBM3");
    arguments_.runs = (temp_.path() / "runs").string();
    arguments_.data = (temp_.path() / "data").string();
  }
  void is_a(const std::string& model) const {
    const fs::path folder = root_ / "proc/driver/nvidia/gpus/0000:3b:00.0";
    fs::create_directories(folder);
    std::ofstream(folder / "information") << "Model: \t\t " << model << "\nIRQ:   \t\t 18\n";
  }
  AskedPlan asked(const std::optional<CalibrationOptions>& calibration = std::nullopt) const {
    return plan_as_asked(
        parse_sweep_spec("{spec: 1, name: s, data: {train: tiny, test: {tiny: 512}}, "
                         "horizon: {tokens: 2000}, model: {n_ctx: 8}, train: {batch_tokens: 32}, "
                         "evaluate: {tokens: 64}, " +
                             std::string(kSizes) + "}",
                         "s.yaml"),
        arguments_, calibration, root_);
  }
  fs::path kept() const {
    return temp_.path() / "cache/scalelaw/devices/nvidia_h100_80gb_hbm3.yaml";
  }

  fs::path root_ = temp_.path() / "machine";
  PlanArguments arguments_;
};

TEST_F(OnAGpuMachine, WhatIsMeasuredIsKeptByTheGpusModelAndUsedByLaterPlans) {
  EXPECT_FALSE(asked().plan.options.throughput);
  const AskedPlan measured = asked(CalibrationOptions{trainer("0.001"), 60});
  EXPECT_TRUE(measured.warnings.empty()) << measured.warnings.front();
  const DeviceFile file = read_device_file(kept());
  EXPECT_EQ(file.kind, DeviceKind::kGpu);
  EXPECT_EQ(file.device, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(file.rows.size(), 8u);
  std::ostringstream text;
  text << std::ifstream(kept()).rdbuf();
  EXPECT_NE(text.str().find("\nclock: wall time of a step, median\nstep: graph\n"),
            std::string::npos)
      << text.str();
  const AskedPlan later = asked();
  ASSERT_TRUE(later.plan.options.throughput);
  EXPECT_EQ(later.plan.options.throughput->source(), measured.plan.options.throughput->source());
  EXPECT_NEAR(*later.plan.cells[0].pack_hours * 3600 / 63, 0.001, 0.0005) << "63 steps";
  is_a("Tesla T4");
  EXPECT_FALSE(asked().plan.options.throughput) << "another one's times";
  is_a("NVIDIA H100 80GB HBM3");
  arguments_.gpus = 1;
  EXPECT_FALSE(asked().plan.options.throughput) << "a GPU elsewhere";
  EXPECT_THROW(asked(CalibrationOptions{trainer("0.001"), 60}), ConfigError);
}

TEST_F(OnAGpuMachine, WhatReplicasGainDecidesHowRunsArePacked) {
  const auto packs = [](const Plan& plan) { return packs_text(packs_of(plan, Stage::kAtOnce)); };
  EXPECT_EQ(packs(asked().plan), "4 packs of 4 runs") << "as assumed";
  // All replicas in the time of one, and each in a time of its own.
  EXPECT_EQ(packs(asked(CalibrationOptions{trainer("0.001"), 60}).plan), "4 packs of 4 runs");
  EXPECT_EQ(packs(asked(CalibrationOptions{trainer("0.001 * R"), 60}).plan), "16 runs alone");
  EXPECT_EQ(packs(asked().plan), "16 runs alone") << "kept";
}

TEST_F(OnAGpuMachine, AGpuWhoseModelIsNotKnownIsMeasuredAndNotKept) {
  fs::remove_all(root_ / "proc");
  const AskedPlan measured = asked(CalibrationOptions{trainer("0.001"), 60});
  EXPECT_TRUE(measured.plan.options.throughput);
  ASSERT_EQ(measured.warnings.size(), 1u);
  EXPECT_TRUE(measured.warnings[0].starts_with(
      "what was measured is not kept: /proc/driver/nvidia/gpus does not tell which model"))
      << measured.warnings[0];
  EXPECT_FALSE(fs::exists(temp_.path() / "cache"));
  EXPECT_FALSE(asked().plan.options.throughput);
}

TEST_F(OnAGpuMachine, AGpuThatCannotBeUsedIsSaidInTheTrainersWords) {
  const fs::path broken = trainer("1");
  std::ofstream(broken) << "#!/bin/sh\necho 'its driver is too old' >&2\nexit 2\n";
  try {
    asked(CalibrationOptions{broken, 60});
    FAIL();
  } catch (const std::runtime_error& error) {
    const std::string says = error.what();
    EXPECT_NE(says.find("its driver is too old"), std::string::npos) << says;
  }
}

}  // namespace
}  // namespace scalelaw
