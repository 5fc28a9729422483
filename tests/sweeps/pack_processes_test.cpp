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
    const fs::path trainer = trainer_that("sleep 0.2\necho step 7\n" + command);
    const double start = monotonic_seconds();
    bool all_started = false;
    PackProcesses all(plan_, trainer, [&] {
      return counts[all_started && monotonic_seconds() - start >= counted_after ? 1 : 0];
    });
    for (std::size_t i = 0; i < processes; ++i) all.start({i}, statuses_, /*to_come=*/0);
    all_started = true;
    std::string words;
    while (all.running() > 0) {
      const PackProcesses::Event event = all.wait(0.1);
      if (event.ended && event.ended->cells[0].cell == 0)
        words = last_words(*event.ended, event.end);
    }
    return words;
  }

  // What processes of one run each, started one right after another, are told of the GPU and the
  // machine.
  std::multiset<std::string> shares(const Workers& workers, std::size_t processes) {
    PackProcesses all(plan_, trainer_that("sleep 0.2; echo $*"));
    plan_.options.workers = workers;
    for (std::size_t i = 0; i < processes; ++i) all.start({i}, statuses_, processes - 1 - i);
    std::multiset<std::string> said;
    while (all.running() > 0) {
      const PackProcesses::Event event = all.wait(0.1);
      if (event.ended) said.insert(share_told(*event.ended, event.end));
    }
    return said;
  }
  static std::string share_told(const PackProcess& process, const ProcessEnd& end) {
    const std::string words = last_words(process, end);
    return words.substr(words.find("--share-gpu"));
  }
  fs::path trainer_that(const std::string& script) const {
    const fs::path trainer = temp_.path() / "trainer";
    std::ofstream(trainer) << "#!/bin/sh\n" << script << "\n";
    chmod(trainer.c_str(), 0755);
    return trainer;
  }

  TempDir temp_;
  Plan plan_ = small_plan(temp_.path());
  std::vector<CellStatus> statuses_ = std::vector<CellStatus>(plan_.cells.size());
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

TEST_F(PackProcessesTest, TheDeviceIsSharedWithWhatIsStartedTogetherAndNotWithIdlePlaces) {
  using Said = std::multiset<std::string>;
  const Workers cores = {.jobs = 4};
  EXPECT_EQ(shares(cores, 1), Said{"--share-gpu 1 --share-machine 1"});
  EXPECT_EQ(shares(cores, 2),
            (Said{"--share-gpu 1 --share-machine 2", "--share-gpu 1 --share-machine 2"}));
  const Workers gpus = elsewhere(/*gpus=*/2, "auto", /*jobs=*/2, /*replicas=*/1);
  EXPECT_EQ(shares(gpus, 1), Said{"--share-gpu 1 --share-machine 1"});
  EXPECT_EQ(shares(gpus, 2),
            (Said{"--share-gpu 1 --share-machine 2", "--share-gpu 1 --share-machine 2"}));
  EXPECT_EQ(shares(gpus, 3),
            (Said{"--share-gpu 2 --share-machine 3", "--share-gpu 2 --share-machine 3",
                  "--share-gpu 1 --share-machine 3"}))
      << "two on the first GPU, one on the second";
}

// Both that were on the first GPU have ended.
TEST_F(PackProcessesTest, OneThatIsAloneOnItsGpuHasItForItselfThoughAnotherIsFuller) {
  plan_.options.workers = elsewhere(/*gpus=*/2, "auto", /*jobs=*/2, /*replicas=*/1);
  const fs::path end = temp_.path() / "end";
  PackProcesses all(plan_, trainer_that("[ \"$CUDA_VISIBLE_DEVICES\" = 0 ] || while [ ! -e '" +
                                        end.string() + "' ]; do sleep 0.05; done; echo $*"));
  for (const std::size_t cell : {0u, 1u, 2u, 3u}) all.start({cell}, statuses_, 3 - cell);
  while (all.running() > 2) all.wait(0.1);
  all.start({0}, statuses_, /*to_come=*/0);
  while (true) {
    const PackProcesses::Event event = all.wait(0.1);
    if (!event.ended) continue;
    EXPECT_EQ(event.ended->cells.front().cell, 0u);
    EXPECT_EQ(share_told(*event.ended, event.end), "--share-gpu 1 --share-machine 3");
    break;
  }
  std::ofstream(end).flush();
  while (all.running() > 0) all.wait(0.1);
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
