#include "trainer/run_lock.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/recorded_syncs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

class RunLockTest : public testing::Test {
 protected:
  TempDir temp_;
  std::filesystem::path root_ = temp_.path(), folder_ = root_ / "a run";
};

TEST_F(RunLockTest, MakesTheFolderAndIsReleasedAtTheEndOfItsScope) {
  EXPECT_EQ(lock_holder(folder_), std::nullopt);
  {
    RunLock lock(folder_);
    EXPECT_TRUE(std::filesystem::is_directory(folder_));
    EXPECT_NE(lock_holder(folder_), std::nullopt);
  }
  EXPECT_EQ(lock_holder(folder_), std::nullopt);
  RunLock again(folder_);
}

TEST_F(RunLockTest, FolderThatItMakesIsOnDisk) {
  take_recorded_syncs();
  const RunLock lock(folder_ / "inner");
  EXPECT_EQ(take_recorded_syncs(), (std::vector{root_, folder_}));
}

TEST_F(RunLockTest, SecondHolderIsRefusedAndToldWhoHolds) {
  RunLock first(folder_);
  try {
    RunLock second(folder_);
    FAIL() << "two locks on one folder";
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find(folder_.string()), std::string::npos) << what;
    EXPECT_NE(what.find("pid " + std::to_string(getpid()) + " on "), std::string::npos) << what;
  }
  EXPECT_NE(lock_holder(folder_), std::nullopt) << "the refusal must not release the first";
}

TEST_F(RunLockTest, ProbingTakesNothing) {
  { RunLock made(folder_); }
  const pid_t prober = fork();
  if (prober == 0) {
    for (;;) (void)lock_holder(folder_);
  }
  for (int i = 0; i < 2000; ++i) EXPECT_NO_THROW(RunLock lock(folder_)) << "round " << i;
  kill(prober, SIGKILL);
  waitpid(prober, nullptr, 0);
}

TEST_F(RunLockTest, KilledHolderLeavesNothingBehind) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    RunLock lock(folder_);
    (void)!write(ready[1], "x", 1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const std::optional<std::string> held_by = lock_holder(folder_);
  EXPECT_NE(held_by.value_or("").find("pid " + std::to_string(holder)), std::string::npos);
  EXPECT_THROW(RunLock refused(folder_), ConfigError);

  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_EQ(lock_holder(folder_), std::nullopt);
  EXPECT_NO_THROW(RunLock taken(folder_));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(RunLockTest, MovingKeepsTheLock) {
  std::optional<RunLock> kept;
  {
    RunLock lock(folder_);
    kept.emplace(std::move(lock));
  }
  EXPECT_NE(lock_holder(folder_), std::nullopt);
  kept.reset();
  EXPECT_EQ(lock_holder(folder_), std::nullopt);
}

TEST_F(RunLockTest, FolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  if (getuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_EQ(chmod(root_.c_str(), 0500), 0);
  EXPECT_THROW(RunLock lock(folder_), ConfigError);
  chmod(root_.c_str(), 0700);
}

}  // namespace
}  // namespace scalelaw
