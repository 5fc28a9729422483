// What is known of a process that trained a pack once it has ended.
#include "sweeps/launch/pack_processes.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "sweeps/status/cell_limits.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/small_plan.h"
#include "trainer/clock.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class PackProcessesTest : public testing::Test {
 protected:
  PackProcessesTest() { sweep_folder(plan_.options.runs, "s").prepare(); }

  // The last words of the first of `processes` processes of one run each, side by side, that end
  // by `command`; of what the kernel has killed `counts` says how much as they start, and how much
  // from `counted_after` seconds on.
  std::string words_of(const std::string& command, std::vector<std::optional<int64_t>> counts,
                       std::size_t processes = 1, double counted_after = 0.05) {
    const fs::path trainer = temp_.path() / "trainer";
    std::ofstream(trainer) << "#!/bin/sh\nsleep 0.2\necho step 7\n" << command << "\n";
    chmod(trainer.c_str(), 0755);
    const double start = monotonic_seconds();
    bool all_started = false;
    PackProcesses all(plan_, trainer, [&] {
      return counts[all_started && monotonic_seconds() - start >= counted_after ? 1 : 0];
    });
    const std::vector<CellStatus> statuses(plan_.cells.size());
    for (std::size_t i = 0; i < processes; ++i) all.start({i}, statuses, /*waiting=*/0);
    all_started = true;
    std::string words;
    while (all.running() > 0) {
      const PackProcesses::Event event = all.wait(0.1);
      if (event.ended && event.ended->cells[0].cell == 0)
        words = last_words(*event.ended, event.end);
    }
    return words;
  }

  // What processes of one run each, started side by side, are told of the GPU and the machine; of
  // each, how many packs still waited.
  std::set<std::string> shares(const Workers& workers, const std::vector<std::size_t>& waiting) {
    const fs::path trainer = temp_.path() / "trainer";
    std::ofstream(trainer) << "#!/bin/sh\nsleep 0.2\necho $*\n";
    chmod(trainer.c_str(), 0755);
    plan_.options.workers = workers;
    PackProcesses all(plan_, trainer);
    const std::vector<CellStatus> statuses(plan_.cells.size());
    for (std::size_t i = 0; i < waiting.size(); ++i) all.start({i}, statuses, waiting[i]);
    std::set<std::string> said;
    while (all.running() > 0) {
      const PackProcesses::Event event = all.wait(0.1);
      if (!event.ended) continue;
      const std::string words = last_words(*event.ended, event.end);
      said.insert(words.substr(words.find("--share-gpu")));
    }
    return said;
  }

  TempDir temp_;
  Plan plan_ = small_plan(temp_.path());
};

TEST_F(PackProcessesTest, WhatWasTooLargeIsTheMostThatATrainerMayTakeAndNotWhatItMust) {
  append_limits(sweep_folder(plan_.options.runs, "s"), plan_, {0}, {1, 16});
  const std::string words = words_of("echo $*", {3, 3});
  EXPECT_TRUE(words.ends_with(" --most-at-once 16")) << words;
  const fs::path config = words.substr(6, words.find(" --runs") - 6);  // "train FILE --runs ..."
  EXPECT_EQ(read_run_config(config).how.micro_batch_tokens, 0);
}

TEST_F(PackProcessesTest, SigkillIsForWantOfMemoryWhereTheKernelCountsItAndNothingRanBeside) {
  const std::string words = words_of("kill -9 $$", {3, 4});
  EXPECT_EQ(words, "step 7; the kernel killed it: memory does not suffice");
  EXPECT_TRUE(is_of_memory(words));
}

TEST_F(PackProcessesTest, SigkillByHandOrBesideOthersOrUncountedSaysNothingOfMemory) {
  EXPECT_EQ(words_of("kill -9 $$", {3, 3}), "step 7");
  EXPECT_EQ(words_of("kill -9 $$", {3, 4}, 2), "step 7");
  EXPECT_EQ(words_of("kill -9 $$", {std::nullopt, std::nullopt}), "step 7");
  EXPECT_EQ(words_of("kill -9 $$", {std::nullopt, 4}), "step 7");
  EXPECT_EQ(words_of("kill -9 $$", {3, std::nullopt}), "step 7");
  EXPECT_EQ(words_of("exit 1", {3, 4}), "step 7");
}

TEST_F(PackProcessesTest, KillForWantOfMemoryLongBeforeTheEndWasAnothers) {
  EXPECT_EQ(words_of("sleep 5; kill -9 $$", {3, 4}), "step 7");
  const std::string words = words_of("sleep 5; kill -9 $$", {3, 4}, 1, 4.5);
  EXPECT_TRUE(is_of_memory(words)) << words;
}

TEST_F(PackProcessesTest, TheDeviceIsSharedWithWhatCanBeSideBySideAndNotWithIdlePlaces) {
  using Said = std::set<std::string>;
  const Workers cores = {.jobs = 4};
  EXPECT_EQ(shares(cores, {0}), Said{"--share-gpu 1 --share-machine 1"});
  EXPECT_EQ(shares(cores, {1, 0}), Said{"--share-gpu 1 --share-machine 2"});
  EXPECT_EQ(shares(cores, {9}), Said{"--share-gpu 1 --share-machine 4"});
  const Workers gpus = elsewhere(/*gpus=*/2, "auto", /*jobs=*/2, /*replicas=*/1);
  EXPECT_EQ(shares(gpus, {0}), Said{"--share-gpu 1 --share-machine 1"});
  EXPECT_EQ(shares(gpus, {1, 0}), Said{"--share-gpu 1 --share-machine 2"});
  EXPECT_EQ(shares(gpus, {2, 1, 0}),
            (Said{"--share-gpu 2 --share-machine 3", "--share-gpu 1 --share-machine 3"}))
      << "two on the first GPU, one on the second";
  EXPECT_EQ(shares(gpus, {9}), Said{"--share-gpu 2 --share-machine 4"});
}

// Launchers of several machines share the logs of a sweep.
TEST_F(PackProcessesTest, ARefusalIsHeardAlsoWhereTheOthersLinesStandBehindIt) {
  const std::string refusal = "RUN: in use by pid 7 on node3";
  EXPECT_EQ(words_of("echo '" + refusal + "'; echo 938 steps from 0; exit 2", {0, 0}), refusal);
  EXPECT_EQ(words_of("echo '" + refusal + "'; echo bad shape; exit 1", {0, 0}), "bad shape");
  EXPECT_EQ(words_of("echo bad shape; exit 2", {0, 0}), "bad shape")
      << "what was said before this process was another's";
}

}  // namespace
}  // namespace scalelaw
