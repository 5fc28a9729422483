// `scalelaw sweep run --replicas`: several runs a process, on the CPU, end as they do alone within
// rounding, and bit for bit as the same pack undisturbed whatever happens to it.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/checkpoint_files.h"
#include "trainer/run_record.h"
#include "trainer/safetensors.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr int kLongSteps = 2000;  // so that it can be disturbed
constexpr int kShortSteps = 60;   // before rounding has grown

class PackedSweep : public testing::Test {
 protected:
  PackedSweep() { write_tiny_data_set(temp_.path() / "data"); }

  // Two architectures, four seeds each.
  void write_spec(int steps, const std::string& how = "") {
    std::ofstream(in("sweep.yaml"))
        << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
        << "horizon: {tokens: " << steps * 64 << "}\n"
        << "model: {n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\n"
        << "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
        << "how: {checkpoint_every_seconds: 0.1, log_every: 10" << how << "}\n"
        << "arms: {t: {model.arch: transformer}, l: {model.arch: lstm}}\n"
        << "blocks: [{name: b, grid: {seeds.init: [1, 2, 3, 4]}}]\n";
  }
  std::vector<std::string> command(const std::string& store, int replicas) const {
    return {"scalelaw-sweep",
            "run",
            in("sweep.yaml"),
            "--runs",
            in(store),
            "--data",
            in("data"),
            "--device",
            "cpu",
            "--jobs",
            "1",
            "--replicas",
            std::to_string(replicas)};
  }
  void run(const std::string& store, int replicas) {
    const ProgramResult result = run_program(command(store, replicas));
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  pid_t start(const std::string& store) { return start_program(command(store, 4), in("log")); }
  std::string log() const { return read_whole_file(in("log")); }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }

  std::vector<RunFolder> folders(const std::string& store) const {
    std::vector<RunFolder> all;
    for (const SweepCell& cell : read_sweep_record(sweep_record_file(in(store), "s")).cells) {
      all.push_back({fs::path(in(store)) / cell.folder});
    }
    return all;
  }
  // Runs of `store` that have a checkpoint and are not complete.
  int64_t begun(const std::string& store) const {
    if (!fs::exists(sweep_record_file(in(store), "s"))) return 0;
    const std::vector<RunFolder> all = folders(store);
    return std::count_if(all.begin(), all.end(), [](const RunFolder& folder) {
      return !checkpoint_steps(folder).empty() && !fs::exists(folder.record());
    });
  }
  void wait_for_a_begun_pack(const std::string& store) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (begun(store) < 4 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(begun(store), 4) << log();
  }
  std::string weights(const RunFolder& folder) const {
    const SafetensorsFile file(checkpoint_file(folder, checkpoint_steps(folder).at(0)));
    std::string bytes;
    for (const auto& [name, view] : file.tensors()) {
      bytes += name;
      bytes.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    }
    return bytes;
  }
  void expect_equal(const std::string& whole, const std::string& disturbed) {
    const std::vector<RunFolder> left = folders(whole), right = folders(disturbed);
    for (std::size_t i = 0; i < left.size(); ++i) {
      EXPECT_EQ(left[i].path.filename(), right[i].path.filename());
      const RunRecord a = read_run_record(left[i]), b = read_run_record(right[i]);
      EXPECT_EQ(a.test.at("tiny").loss_nats, b.test.at("tiny").loss_nats);
      EXPECT_EQ(a.final_train_loss_nats, b.final_train_loss_nats);
      EXPECT_EQ(a.pack, b.pack);
      EXPECT_EQ(a.pack_row, b.pack_row);
      EXPECT_EQ(weights(left[i]), weights(right[i]));
      EXPECT_EQ(read_whole_file(left[i].window_losses()),
                read_whole_file(right[i].window_losses()));
      const auto lines = read_metrics(left[i]), others = read_metrics(right[i]);
      ASSERT_EQ(lines.size(), others.size());
      for (std::size_t k = 0; k < lines.size(); ++k) {
        EXPECT_EQ(lines[k].train_loss_nats, others[k].train_loss_nats) << lines[k].step;
        EXPECT_EQ(lines[k].grad_norm, others[k].grad_norm) << lines[k].step;
      }
    }
  }
  int64_t resumed(const std::string& store) const {
    int64_t runs = 0;
    for (const RunFolder& folder : folders(store)) {
      for (const RunEvent& event : read_run_record(folder).events) {
        EXPECT_NE(event.kind, "repacked");
        runs += event.kind == "resumed" ? 1 : 0;
      }
    }
    return runs;
  }

  TempDir temp_;
};

pid_t child_of(pid_t launcher) {
  pid_t child = 0;
  std::istringstream(read_whole_file("/proc/" + std::to_string(launcher) + "/task/" +
                                     std::to_string(launcher) + "/children")) >>
      child;
  return child;
}

// As for packs by hand (tests/trainer/pack_test.cpp): rounding is what the same runs tell when each
// batch is summed in two halves.
TEST_F(PackedSweep, LossesAreThoseOfTheRunsAloneWithinRounding) {
  write_spec(kShortSteps, ", micro_batch_tokens: 32");
  run("halves", 1);
  write_spec(kShortSteps);
  run("alone", 1);
  run("packed", 4);
  double by_packing = 0, by_rounding = 0;
  const std::vector<RunFolder> alone = folders("alone"), packed = folders("packed"),
                               halves = folders("halves");
  ASSERT_EQ(alone.size(), 8u);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    const RunRecord a = read_run_record(packed[i]), b = read_run_record(alone[i]);
    EXPECT_EQ(a.content_hash, b.content_hash);
    EXPECT_EQ(a.pack.size(), 4u);
    EXPECT_EQ(a.pack_row, static_cast<int>(i % 4));
    EXPECT_EQ(b.pack.size(), 1u);
    const double loss = b.test.at("tiny").loss_nats;
    const double half = read_run_record(halves[i]).test.at("tiny").loss_nats;
    by_packing = std::max(by_packing, std::abs(a.test.at("tiny").loss_nats - loss));
    by_rounding = std::max(by_rounding, std::abs(half - loss));
  }
  EXPECT_GT(by_rounding, 0);
  EXPECT_LE(by_packing, 10 * by_rounding);
  EXPECT_LT(by_rounding, 1e-4) << "so the bound above says something";
}

TEST_F(PackedSweep, APackKilledOrStoppedEndsBitForBitAsAnUndisturbedOne) {
  write_spec(kLongSteps);
  run("whole", 4);
  EXPECT_EQ(resumed("whole"), 0);

  const pid_t launcher = start("killed");
  ASSERT_NO_FATAL_FAILURE(wait_for_a_begun_pack("killed"));
  const pid_t trainer = child_of(launcher);
  ASSERT_GT(trainer, 0) << "of 0 all of this test's processes would die";
  kill(trainer, SIGKILL);
  EXPECT_EQ(wait_for(launcher).exit_code, 0) << log();
  EXPECT_NE(log().find("and 3 more: killed by signal 9"), std::string::npos) << log();
  EXPECT_EQ(resumed("killed"), 4);
  expect_equal("whole", "killed");

  const pid_t stopped = start("stopped");
  ASSERT_NO_FATAL_FAILURE(wait_for_a_begun_pack("stopped"));
  kill(stopped, SIGINT);
  EXPECT_EQ(wait_for(stopped).exit_code, 3) << log();
  EXPECT_NE(log().find("4 runs go on from their checkpoints"), std::string::npos) << log();
  run("stopped", 4);
  EXPECT_EQ(resumed("stopped"), 4);
  expect_equal("whole", "stopped");
}

TEST_F(PackedSweep, RowsThatDivergedAreLeftAndTheOthersGoOnFromWhereTheyWere) {
  std::ofstream(in("sweep.yaml"))
      << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
      << "horizon: {tokens: " << 8000 * 64 << "}\n"
      << "model: {n_layer: 1, d_model: 32, n_head: 2, n_ctx: 16}\n"
      << "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\nhow: {log_every: 10}\n"
      << "grid: {train.learning_rate: [0.01, 1e20, 2e20, 3e20]}\n";
  run("runs", 4);
  const std::vector<RunFolder> all = folders("runs");
  for (std::size_t i = 1; i < all.size(); ++i) {
    EXPECT_EQ(read_run_record(all[i]).state, RunState::kDiverged);
  }
  const RunRecord record = read_run_record(all[0]);
  EXPECT_EQ(record.state, RunState::kComplete);
  EXPECT_EQ(record.pack.size(), 1u);
  std::vector<std::string> events;
  for (const RunEvent& event : record.events) events.push_back(event.kind);
  EXPECT_EQ(events, (std::vector<std::string>{"repacked", "resumed"}));
  EXPECT_EQ(read_metrics(all[0]).back().step, 8000);
}

TEST_F(PackedSweep, ARunThatIsCompleteBeforehandStaysAsItIs) {
  write_spec(kShortSteps);
  run("runs", 1);
  const std::vector<RunFolder> all = folders("runs");
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i != 2) fs::remove_all(all[i].path);
  }
  const std::string before = read_whole_file(all[2].record());
  run("runs", 4);
  EXPECT_EQ(read_whole_file(all[2].record()), before);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t beside = i == 2 ? 1 : i < 4 ? 3 : 4;
    EXPECT_EQ(read_run_record(all[i]).pack.size(), beside) << i;
  }
}

}  // namespace
}  // namespace scalelaw
