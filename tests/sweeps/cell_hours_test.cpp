// What a run's time is made of.
#include "sweeps/plan/cell_hours.h"

#include <gtest/gtest.h>

#include <string>

#include "sweeps/plan/plan_totals.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

TEST(CellHours, EvaluationsAndNoiseScalesAddToTheSteps) {
  RunConfig config;
  config.horizon.tokens = 3200;
  config.model.n_ctx = 8;
  config.train.batch_tokens = 32;  // 100 steps of 4 windows
  config.data.test = {{"a", 512}, {"b", 256}};
  config.evaluate = {.points_per_decade = 1, .tokens = 64, .noise_scale_every = 0};  // at 1 and 10
  const RunSeconds seconds = run_seconds(config, 0.3);
  EXPECT_DOUBLE_EQ(seconds.training, 30);
  EXPECT_DOUBLE_EQ(seconds.evaluation, (2 * 2 * 64 + 512 + 256) / 32 * 0.1);
  EXPECT_EQ(seconds.noise_scale, 0);
  config.evaluate.noise_scale_every = 30;  // 3 times, of one window in four
  EXPECT_DOUBLE_EQ(run_seconds(config, 0.3).noise_scale, 3 * 0.3 / 4);
  EXPECT_DOUBLE_EQ(run_seconds(config, 0.3).total(), 30 + 3.2 + 0.225);
  config.evaluate.points_per_decade = 0;
  EXPECT_DOUBLE_EQ(run_seconds(config, 0.3).evaluation, 2.4) << "the final one alone";
}

TEST(CellHours, OnAGpuARunHasItsShareOfItsPack) {
  const TempDir temp;
  PlanOptions options;
  options.workers = elsewhere(/*gpus=*/2, "auto", /*jobs=*/0, /*replicas=*/2);
  options.price_per_hour = 4;
  const Plan plan = small_plan(temp.path(), "grid: {seeds.init: [1, 2, 3, 4]}", options);
  const PlannedCell& cell = plan.cells.front();
  const double step = *Throughput::unmeasured(DeviceKind::kGpu)
                           .step_seconds(request_for(cell.config, cell.shape, /*replicas=*/2), 1);
  const double hours = run_seconds(cell.config, step).total() / 3600;
  for (const PlannedCell& each : plan.cells) {
    EXPECT_FALSE(each.core_hours);
    EXPECT_DOUBLE_EQ(each.pack_hours.value(), hours);
    EXPECT_DOUBLE_EQ(each.gpu_hours.value(), hours / 2);
  }
  const PlanTotals all = plan_totals(plan, std::vector<CellStatus>(4), false);
  EXPECT_DOUBLE_EQ(all.gpu_hours, 2 * hours);
  EXPECT_EQ(all.devices, 2);
  EXPECT_DOUBLE_EQ(all.wall_hours, hours);
  EXPECT_DOUBLE_EQ(all.price.value(), 4 * hours);
  EXPECT_NE(totals_text(all, plan).find(" on 2 GPUs, "), std::string::npos);
  EXPECT_NE(hours_source(plan).find("assumed of a GPU and not measured"), std::string::npos);
  EXPECT_THROW(elsewhere(2, "cpu", 0, 0), ConfigError);
}

TEST(CellHours, APackOnACpuTakesWhatItsRunsTakeOneAfterAnother) {
  const TempDir temp;
  PlanOptions options;
  const auto of = [&](int64_t replicas) {
    options.workers = choose_workers("cpu", /*jobs=*/2, replicas, {}, /*cores=*/2);
    return small_plan(temp.path(), "grid: {seeds.init: [1, 2, 3, 4], model.d_model: [16]}",
                      options);
  };
  const auto clock = [](const Plan& plan) {
    return plan_totals(plan, std::vector<CellStatus>(plan.cells.size()), false).wall_hours;
  };
  const Plan alone = of(1), packed = of(4);
  const double one = alone.cells.front().core_hours.value();
  EXPECT_FALSE(alone.cells.front().pack_hours);
  EXPECT_DOUBLE_EQ(clock(alone), 2 * one);
  EXPECT_DOUBLE_EQ(packed.cells.front().core_hours.value(), one);
  EXPECT_DOUBLE_EQ(packed.cells.front().pack_hours.value(), 4 * one);
  EXPECT_DOUBLE_EQ(clock(packed), 4 * one) << "the other core has nothing to do";
  const auto devices = [](const Plan& plan) {
    return plan_totals(plan, std::vector<CellStatus>(plan.cells.size()), false).devices;
  };
  EXPECT_EQ(devices(alone), 2);
  EXPECT_EQ(devices(packed), 1);
  EXPECT_EQ(devices(of(3)), 2) << "two packs of two";
}

TEST(CellHours, ProcessesOnAGpuAreNoMoreThanItHasPacks) {
  const TempDir temp;
  PlanOptions options;
  const auto of = [&](int gpus, int jobs, const std::string& cells) {
    options.workers = elsewhere(gpus, "auto", jobs, /*replicas=*/1);
    options.price_per_hour = 1;
    return small_plan(temp.path(), cells, options);
  };
  const auto price = [](const Plan& plan) {
    const std::vector<CellStatus> statuses(plan.cells.size());
    return plan_totals(plan, statuses, false).price.value();
  };
  const std::string four = "grid: {seeds.init: [1, 2, 3, 4]}";
  const double alone = of(1, 1, "seeds: {init: 1}").cells.front().pack_hours.value();
  EXPECT_DOUBLE_EQ(price(of(1, 16, "seeds: {init: 1}")), alone);
  EXPECT_DOUBLE_EQ(price(of(4, 16, four)), alone) << "each has its own";
  for (const int jobs : {2, 16}) {  // of which nothing is known that they gain
    const Plan plan = of(2, jobs, four);
    EXPECT_DOUBLE_EQ(plan.cells.front().gpu_hours.value(), alone) << jobs;
    EXPECT_EQ(plan.cells.front().packs_on_its_gpu, 2);
    EXPECT_DOUBLE_EQ(price(plan), 2 * alone);
  }
  // The shortest starts first, then the longest: the second of them has a GPU for itself.
  const Plan three = of(2, 2,
                        "list: [{horizon.tokens: 40000}, {horizon.tokens: 20000}, "
                        "{horizon.tokens: 2000}]");
  std::vector<int64_t> packs;
  for (const PlannedCell& cell : three.cells) packs.push_back(cell.packs_on_its_gpu);
  EXPECT_EQ(packs, (std::vector<int64_t>{1, 2, 2}));
  const Plan uneven = of(1, 2, "list: [{horizon.tokens: 2000}, {horizon.tokens: 20000}]");
  EXPECT_LT(price(uneven), 1.2 * uneven.cells.back().pack_hours.value())
      << "the other does not go on so long";
  const Plan held_out = of(1, 4,
                           "grid: {model.d_model: [16, 32, 64]}, hold_out: {where: d_model "
                           "== 64, register: p}");
  EXPECT_EQ(held_out.cells.front().packs_on_its_gpu, 2) << "the third starts after them";
  EXPECT_EQ(held_out.cells.back().packs_on_its_gpu, 1);
}

TEST(CellHours, AreThoseOfAsManyProcessesAsRunAtOnce) {
  const TempDir temp;
  std::string file = "device: a machine\nkind: cpu\ndate: 2026-01-01\nrows:\n";
  for (const auto& [processes, seconds] : {std::pair{1, 0.5}, {4, 1.25}}) {
    for (const int batches : {1, 2}) {
      file +=
          "  - {arch: transformer, n_layer: 2, d_model: 64, n_head: 4, n_ctx: 8, n_vocab: 17, "
          "batch_tokens: " +
          std::to_string(32 * batches) +
          ", precision: fp32, replicas: 1, processes: " + std::to_string(processes) +
          ", step_seconds: " + std::to_string(batches * seconds) + "}\n";
    }
  }
  PlanOptions options;
  options.throughput.emplace(parse_device_file(file, "d.yaml"));
  const auto by_the_clock = [&](int jobs) {
    options.workers.jobs = jobs;
    const Plan plan = small_plan(temp.path(), "grid: {seeds.init: [1, 2, 3, 4]}", options);
    return plan_totals(plan, std::vector<CellStatus>(4), false).wall_hours * 3600;
  };
  const double without_starts = by_the_clock(2), side_by_side = by_the_clock(4);
  file.insert(file.find("rows:"), "start_seconds: 8\n");
  options.throughput.emplace(parse_device_file(file, "d.yaml"));
  EXPECT_NEAR(by_the_clock(2), without_starts + 2 * 8, 1e-6) << "two after each other";
  EXPECT_NEAR(by_the_clock(4), side_by_side + 8, 1e-6);
  const auto step_seconds = [&](int jobs) {
    options.workers.jobs = jobs;
    const Plan plan = small_plan(temp.path(), "grid: {seeds.init: [1]}", options);
    return measured_step_seconds(plan.options, plan.cells[0]).value();
  };
  EXPECT_NEAR(step_seconds(1), 0.5, 0.1);
  EXPECT_NEAR(step_seconds(4), 1.25, 0.25);
  EXPECT_EQ(step_seconds(16), step_seconds(4)) << "beyond what was measured";
}

}  // namespace
}  // namespace scalelaw
