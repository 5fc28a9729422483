// Which runs share a process, and where processes run.
#include "sweeps/device/packing.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sweeps/device/pack_size.h"
#include "sweeps/device/start_order.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/cell_limits.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "tests/sweeps/measured_device.h"
#include "trainer/checkpoint_files.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

using Packs = std::vector<PlannedPack>;

class PackingTest : public testing::Test {
 protected:
  PackingTest() {
    write_tiny_data_set(temp_.path() / "data");
    options_.runs = temp_.path() / "runs";
    options_.data = temp_.path() / "data";
    options_.workers.replicas = 4;
  }
  void plan(const std::string& blocks) {
    plan_ = make_plan(
        parse_sweep_spec("{spec: 1, name: s, data: {train: tiny, test: {tiny: 512}}, horizon: "
                         "{tokens: 2000}, model: {n_ctx: 8, d_model: 16}, train: {batch_tokens: "
                         "32}, evaluate: {tokens: 64}, " +
                             blocks + "}",
                         "s.yaml"),
        options_);
  }
  void plan_seeds(int seeds) {
    std::string list = "1";
    for (int seed = 2; seed <= seeds; ++seed) list += ", " + std::to_string(seed);
    plan("grid: {seeds.init: [" + list + "]}");
  }
  Packs packs() const { return packs_to_run(plan_, look_at_all(plan_)); }
  RunFolder folder(std::size_t cell) const { return {run_folder(plan_, plan_.cells[cell])}; }
  void write_checkpoint(std::size_t cell, const PlannedPack& pack, int64_t step = 10) {
    nlohmann::json hashes = nlohmann::json::array();
    for (const std::size_t member : pack) hashes.push_back(plan_.cells[member].content_hash);
    fs::create_directories(folder(cell).checkpoints());
    write_safetensors(checkpoint_file(folder(cell), step), {},
                      {{"cursor", nlohmann::json{{"pack", hashes}}.dump()}});
  }
  void begin_as_pack(const PlannedPack& pack) {
    for (const std::size_t cell : pack) write_checkpoint(cell, pack);
  }
  void complete(std::size_t cell) {
    RunRecord record;
    record.content_hash = plan_.cells[cell].content_hash;
    fs::create_directories(folder(cell).path);
    publish(folder(cell), record);
  }

  TempDir temp_;
  PlanOptions options_;
  Plan plan_;
};

TEST_F(PackingTest, APackThatWasTooLargeIsNotFormedAgain) {
  plan_seeds(8);
  const SweepFolder notes = sweep_folder(plan_.options.runs, plan_.name);
  notes.prepare();
  append_limits(notes, plan_, {0, 1, 2, 3}, {2});
  append_limits(notes, plan_, {1}, {1, 16});
  const fs::path noted = fs::directory_iterator(notes.limits())->path();
  std::ofstream(noted, std::ios::app) << "{torn";
  EXPECT_EQ(packs(), (Packs{{0}, {1}, {2, 3}, {4, 5, 6, 7}}));
  begin_as_pack({4, 5, 6, 7});
  append_limits(notes, plan_, {4, 5, 6, 7}, {2});
  EXPECT_EQ(packs(), (Packs{{0}, {1}, {2, 3}, {4, 5}, {6, 7}})) << "begun together or not";
  forget_limits(notes, plan_, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(packs(), (Packs{{0, 1, 2, 3}, {4, 5, 6, 7}}));
}

// Two launchers note what each has found; or one narrows a run, then halves its pack.
TEST_F(PackingTest, OfWhatWasNotedOfACellTheNarrowestHolds) {
  plan_seeds(1);
  const SweepFolder notes = sweep_folder(plan_.options.runs, plan_.name);
  notes.prepare();
  const auto limits = [&] { return limits_of(read_limits(notes), plan_.cells[0]); };
  append_limits(notes, plan_, {0}, {1, 16});
  append_limits(notes, plan_, {0}, {2});
  EXPECT_EQ(limits(), (CellLimits{1, 16}));
  append_limits(notes, plan_, {0}, {4, 8});
  append_limits(notes, plan_, {0}, {1, 32});
  EXPECT_EQ(limits(), (CellLimits{1, 8}));
  forget_limits(notes, plan_, {0});
  EXPECT_EQ(limits(), CellLimits{});
  append_limits(notes, plan_, {0}, {2});
  EXPECT_EQ(limits(), CellLimits{2});
}

TEST_F(PackingTest, RunsOfOneShapeAndHorizonShareAPackWhateverTheirSeedsAndRates) {
  plan("grid: {model.d_model: [16, 32], seeds.init: [1, 2], train.learning_rate: [0.1, 0.2]}");
  EXPECT_EQ(packs(), (Packs{{0, 1, 2, 3}, {4, 5, 6, 7}}));
  plan("grid: {horizon.tokens: [2000, 4000], seeds.init: [1, 2]}");
  EXPECT_EQ(packs(), (Packs{{0, 1}, {2, 3}})) << "a row that has ended is computed on";
  for (const char* key :
       {"train.batch_tokens: [32, 64], horizon.tokens: [2000]", "evaluate.tokens: [64, 128]",
        "train.precision: [fp32, bf16]", "evaluate.noise_scale_every: [0, 2]",
        "model.position: [learned, rotary]", "data.test.tiny: [256, 512]"}) {
    plan("grid: {" + std::string(key) + "}");
    EXPECT_EQ(packs().size(), 2u) << key;
  }
}

TEST_F(PackingTest, PacksAreFilledEvenlyInTheOrderOfTheSingleRuns) {
  plan_seeds(9);
  EXPECT_EQ(packs(), (Packs{{0, 1, 2}, {3, 4, 5}, {6, 7, 8}}));
  EXPECT_EQ(packs_text(packs()), "3 packs of 3 runs");
  plan("grid: {model.d_model: [16, 32, 64], seeds.init: [1, 2]}");
  EXPECT_EQ(packs(), (Packs{{0, 1}, {4, 5}, {2, 3}})) << "the cheapest first, then the longest";
  complete(4);
  EXPECT_EQ(packs(), (Packs{{0, 1}, {5}, {2, 3}}));
  EXPECT_EQ(packs_text({{0}, {1, 2}, {3, 4, 5}, {6}}), "2 packs of 2 to 3 runs, 2 runs alone");
  EXPECT_EQ(packs_text({}), "");
}

// By the assumed law of a GPU: small models gain side by side, large ones fill it alone.
TEST_F(PackingTest, WhereNothingIsAskedForTheDevicesLawChooses) {
  options_.workers.replicas = 0;
  plan_seeds(8);
  EXPECT_EQ(packs().size(), 8u) << "a CPU gains nothing";
  options_.workers.device = DeviceKind::kGpu;
  plan_seeds(8);
  EXPECT_EQ(packs().size(), 1u);
  options_.workers.gpus = {"0", "1", "2", "3"};
  plan_seeds(8);
  EXPECT_EQ(packs().size(), 4u) << "none stands idle";
  options_.workers.jobs = 2;
  plan_seeds(32);
  EXPECT_EQ(packs().size(), 4u) << "that processes share a GPU is not known to gain anything";
  options_.workers.gpus = {""};
  options_.workers.jobs = 1;
  plan("grid: {model.d_model: [1024], model.n_layer: [12], seeds.init: [1, 2, 3, 4, 5, 6, 7, 8]}");
  EXPECT_EQ(packs().size(), 8u);
  options_.workers.device = DeviceKind::kCpu;
  options_.throughput = measured_device("cpu", {16, 32, 64}, {1, 8});
  plan_seeds(8);
  EXPECT_EQ(packs().size(), 1u) << "as measured";
}

TEST_F(PackingTest, ShapesThatKeepAllGpusBusyAreNotDividedAmongThem) {
  options_.workers.replicas = 0;
  options_.workers.device = DeviceKind::kGpu;
  const auto gpus = [&](int count) {
    options_.workers.gpus.assign(static_cast<std::size_t>(count), "");
    plan("grid: {model.d_model: [16, 24, 32, 40, 48, 56], seeds.init: [1, 2, 3]}");
    return packs().size();
  };
  EXPECT_EQ(gpus(1), 6u);
  EXPECT_EQ(gpus(6), 6u) << "a shape each";
  EXPECT_EQ(gpus(8), 8u) << "none stands idle";
  EXPECT_EQ(gpus(64), 18u);
}

TEST_F(PackingTest, APackThatTheEndWaitsForIsDivided) {
  const Throughput gpu = Throughput::unmeasured(DeviceKind::kGpu);
  const auto alike = [](int64_t width, int64_t runs, int64_t steps) {
    AlikeRuns all{.run = {}, .runs = runs, .steps = steps, .most_replicas = runs};
    all.run.shape.n_layer = 2;
    all.run.shape.d_model = width;
    all.run.shape.n_ctx = 128;
    all.run.shape.n_vocab = 1024;
    all.run.batch_windows = 32;
    all.run.bf16_products = true;
    return all;
  };
  std::vector<AlikeRuns> all(4, alike(16, 3, 100));
  all.push_back(alike(64, 8, 100'000));
  const PackingPlaces four = {.devices = 4};
  EXPECT_EQ(choose_replicas(gpu, all, {.devices = 1}), (std::vector<int64_t>{3, 3, 3, 3, 4}));
  EXPECT_EQ(choose_replicas(gpu, all, four), (std::vector<int64_t>{3, 3, 3, 3, 2}));
  all.back().steps = 100;
  EXPECT_EQ(choose_replicas(gpu, all, four), (std::vector<int64_t>{3, 3, 3, 3, 4}));
  all.resize(1);
  EXPECT_EQ(choose_replicas(gpu, all, {.devices = 2}), std::vector<int64_t>{2});
  EXPECT_EQ(choose_replicas(gpu, all, {.devices = 2, .other_packs = 1}), std::vector<int64_t>{3})
      << "another has the second";
}

// A step takes 10 ms, and .4 ns for each FLOP, of which one process takes `slowing` from another.
Throughput shared_gpu(const std::vector<int>& processes, double slowing = 0) {
  const auto seconds = [&](int width, int replicas, int beside) {
    const double flops = 6.0 * 64 * replicas * (12 * width * width + 256 * width);
    return 0.01 + 4e-10 * flops * (1 + slowing * (beside - 1));
  };
  return measured_device("gpu", {16, 32, 64, 128, 256}, {1, 8}, processes, seconds);
}

// Of width 64: 10 ms of FLOPs in a step of each.
AlikeRuns runs_on_shared_gpu(int64_t runs, int64_t steps) {
  AlikeRuns all{.run = {}, .runs = runs, .steps = steps, .most_replicas = runs};
  all.run.shape.n_layer = 1;
  all.run.shape.n_head = 1;
  all.run.shape.d_model = 64;
  all.run.shape.n_ctx = 32;
  all.run.shape.n_vocab = 256;
  all.run.batch_windows = 2;
  return all;
}

TEST_F(PackingTest, MoreProcessesOnAGpuDivideAPackOnlyByWhatWasMeasuredSideBySide) {
  const std::vector<AlikeRuns> two(2, runs_on_shared_gpu(8, 100));
  const auto chosen = [&](const Throughput& gpu, int64_t devices, int64_t processes) {
    return choose_replicas(gpu, two, {.devices = devices, .most_processes = processes});
  };
  for (const int64_t processes : {1, 2, 4}) {
    EXPECT_EQ(chosen(shared_gpu({1}), 2, processes), (std::vector<int64_t>{8, 8})) << processes;
  }
  EXPECT_EQ(chosen(shared_gpu({1}), 4, 1), (std::vector<int64_t>{4, 4})) << "none stands idle";
  EXPECT_EQ(chosen(shared_gpu({1}), 4, 4), (std::vector<int64_t>{4, 4}));
  EXPECT_EQ(chosen(shared_gpu({1, 2}), 2, 2), (std::vector<int64_t>{4, 4}))
      << "where two side by side take no longer than one, four packs are sooner done";
}

// Eight runs in a pack take 9 s, and a single one of 440 steps 8.8 s. Beside another, four take
// 7.4 s, and the single one 11.4 s, or 7.8 s of 300 steps.
TEST_F(PackingTest, APackIsNotDividedWhereTheEndThenWaitsForWhatItsPartsSlow) {
  const auto chosen = [](double slowing, int64_t steps_of_the_single) {
    return choose_replicas(shared_gpu({1, 2}, slowing),
                           {runs_on_shared_gpu(8, 100), runs_on_shared_gpu(1, steps_of_the_single)},
                           {.devices = 2, .most_processes = 2});
  };
  EXPECT_EQ(chosen(0.6, 440), (std::vector<int64_t>{8, 1}));
  EXPECT_EQ(chosen(0, 440), (std::vector<int64_t>{8, 1})) << "9 s to 8.8 s is no gain";
  EXPECT_EQ(chosen(0.6, 300), (std::vector<int64_t>{4, 1}));
}

// Of two packs of eight and an idle device the end is at .09 a step, of four packs of four in two
// turns at .1, of six of three in two turns at .08.
TEST_F(PackingTest, TheEndIsThatOfWholePacksInTurn) {
  const std::vector<AlikeRuns> two(2, runs_on_shared_gpu(8, 100));
  EXPECT_EQ(choose_replicas(shared_gpu({1}), two, {.devices = 3}), (std::vector<int64_t>{3, 3}));
  const std::vector<AlikeRuns> many(192, runs_on_shared_gpu(8, 100));
  EXPECT_EQ(choose_replicas(shared_gpu({1}), many, {.devices = 288}), std::vector<int64_t>(192, 3));
}

TEST_F(PackingTest, PacksNoLargerThanWereMeasuredAreTold) {
  options_.workers.replicas = 0;
  options_.workers.device = DeviceKind::kGpu;
  plan_seeds(8);
  const auto limited = [&] { return are_limited_by_what_was_measured(plan_, look_at_all(plan_)); };
  const auto json_says = [&](const char* words) {
    return plan_json(plan_, look_at_all(plan_)).find(words) != std::string::npos;
  };
  constexpr const char* kAdvice =
      "more in a pack may be faster: --calibrate --replicas 2 on it measures them";
  EXPECT_FALSE(limited()) << "nothing was measured";
  EXPECT_FALSE(json_says("side by side were measured"));
  options_.throughput = measured_device("gpu", {16, 32, 64, 128, 256}, {1});
  plan_seeds(8);
  const Packs alone = packs();
  EXPECT_EQ(alone.size(), 8u);
  EXPECT_TRUE(limited());
  EXPECT_TRUE(json_says(kAdvice));
  plan("grid: {model.d_model: [16, 32, 64]}");
  EXPECT_FALSE(limited()) << "none are alike";
  options_.throughput = measured_device("gpu", {16, 32, 64, 128, 256}, {1, 8});
  plan_seeds(8);
  EXPECT_FALSE(limited()) << "one pack";
  plan_seeds(9);
  EXPECT_EQ(packs().size(), 2u);
  EXPECT_TRUE(limited()) << "neither of the packs is full";
  options_.workers.gpus = {"0", "1"};
  plan_seeds(16);
  EXPECT_FALSE(limited()) << "a larger pack would leave a GPU idle";
}

TEST_F(PackingTest, WhatWasOnePackGoesOnAsTheSamePackInItsOrder) {
  plan_seeds(8);
  begin_as_pack({5, 0, 7});
  EXPECT_EQ(packs(), (Packs{{5, 0, 7}, {1, 2}, {3, 4, 6}}));
  complete(0);
  EXPECT_EQ(packs(), (Packs{{1, 2}, {3, 4, 6}, {5, 7}})) << "what is left of it";
  write_checkpoint(7, {7}, 20);
  EXPECT_EQ(packs(), (Packs{{1, 2}, {3, 4, 6}, {5}, {7}})) << "it has gone on alone since";
}

TEST_F(PackingTest, APackKilledWithinItsFirstCheckpointsIsStillOne) {
  plan_seeds(4);
  for (const std::size_t cell : {2u, 1u}) write_checkpoint(cell, {2, 1, 0});
  fs::create_directories(folder(0).path);
  EXPECT_EQ(packs(), (Packs{{2, 1, 0}, {3}}));
  complete(0);
  EXPECT_EQ(packs(), (Packs{{2, 1}, {3}}));
}

TEST_F(PackingTest, AMemberWhoseFolderIsGoneBeginsAnewByItself) {
  plan_seeds(4);
  for (const std::size_t cell : {0u, 1u, 3u}) write_checkpoint(cell, {0, 1, 2, 3});
  EXPECT_EQ(packs(), (Packs{{0, 1, 3}, {2}}));
}

TEST_F(PackingTest, FewerReplicasThanBeforeDivideAPack) {
  plan_seeds(4);
  begin_as_pack({0, 1, 2, 3});
  options_.workers.replicas = 2;
  plan_seeds(4);
  EXPECT_EQ(packs(), (Packs{{0, 1}, {2, 3}}));
  options_.workers.replicas = 0;
  plan_seeds(4);
  EXPECT_EQ(packs().size(), 4u);
  options_.workers.device = DeviceKind::kGpu;
  plan_seeds(4);
  EXPECT_EQ(packs(), (Packs{{0, 1, 2, 3}}));
}

TEST_F(PackingTest, DamageAndBegunRunsOfTheirOwnAreAlone) {
  plan_seeds(5);
  write_checkpoint(1, {1});
  fs::create_directories(folder(2).path);
  std::ofstream(folder(2).record()) << "{";
  fs::create_directories(folder(3).checkpoints());
  std::ofstream(checkpoint_file(folder(3), 10)) << "cut short";
  EXPECT_EQ(packs(), (Packs{{0, 4}, {1}, {2}, {3}}));
}

PlannedCell cell(const std::string& arm, double flops) {
  PlannedCell planned;
  planned.places = {{arm, "b"}};
  planned.train_flops = flops;
  return planned;
}

TEST(StartOrder, SmallestRungOfEachArmFirstThenLongestFirst) {
  Plan plan;
  plan.cells = {cell("a", 10), cell("a", 40), cell("a", 20), cell("b", 50),
                cell("b", 15), cell("a", 10), cell("b", 30)};
  EXPECT_EQ(start_order(plan, {0, 1, 2, 3, 4, 5, 6}), (PlannedPack{4, 0, 5, 3, 1, 6, 2}));
  EXPECT_EQ(start_order(plan, {1, 2, 3}), (PlannedPack{3, 2, 1}))
      << "b's only one, a's cheapest, then the rest";
  plan.order = StartOrder::kLongestFirst;
  EXPECT_EQ(start_order(plan, {0, 1, 2, 3, 4, 5, 6}), (PlannedPack{3, 1, 6, 2, 4, 0, 5}));
  plan.order = StartOrder::kAsWritten;
  EXPECT_EQ(start_order(plan, {3, 1, 2}), (PlannedPack{1, 2, 3}));
}

GpuProbe gpus(int count) {
  GpuProbe probe;
  probe.gpus = count;
  return probe;
}

TEST(Workers, AreAsManyAsCoresOrOneAGpu) {
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(choose_workers("auto", 0, 0, gpus(0), 6).processes(), 6u);
  EXPECT_EQ(choose_workers("cpu", 2, 0, gpus(1), 6).processes(), 2u);
  const Workers two = choose_workers("auto", 3, 16, gpus(2), 6);
  EXPECT_EQ(two.processes(), 6u);
  EXPECT_EQ(two.gpus, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(two.replicas, 16);
  EXPECT_EQ(describe(two), "on 2 GPUs, 3 processes on each");
  EXPECT_EQ(describe(choose_workers("cuda", 0, 0, gpus(1), 6)), "on a GPU, 1 process at a time");
  EXPECT_EQ(describe(choose_workers("auto", 0, 0, gpus(0), 6)),
            "on the CPU, 6 processes at a time");
  EXPECT_THROW(choose_workers("cuda", 0, 0, gpus(0), 6), ConfigError);
  EXPECT_THROW(choose_workers("tpu", 0, 0, gpus(1), 6), ConfigError);
}

}  // namespace
}  // namespace scalelaw
