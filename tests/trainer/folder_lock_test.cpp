#include "trainer/folder_lock.h"

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

class FolderLockTest : public testing::Test {
 protected:
  bool held() const {
    try {
      const FolderLock lock(folder_);
    } catch (const ConfigError&) {
      return true;
    }
    return false;
  }
  TempDir temp_;
  std::filesystem::path root_ = temp_.path(), folder_ = root_ / "a run";
};

TEST_F(FolderLockTest, MakesTheFolderAndIsReleasedAtTheEndOfItsScope) {
  {
    FolderLock lock(folder_);
    EXPECT_TRUE(std::filesystem::is_directory(folder_));
    EXPECT_TRUE(held());
  }
  EXPECT_FALSE(held());
}

TEST_F(FolderLockTest, FolderThatItMakesIsOnDisk) {
  take_recorded_syncs();
  const FolderLock lock(folder_ / "inner");
  EXPECT_EQ(take_recorded_syncs(), (std::vector{root_, folder_}));
}

TEST_F(FolderLockTest, SecondHolderIsRefusedAndToldWhoHolds) {
  FolderLock first(folder_);
  try {
    FolderLock second(folder_);
    FAIL() << "two locks on one folder";
  } catch (const ConfigError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find(folder_.string()), std::string::npos) << what;
    EXPECT_NE(what.find("pid " + std::to_string(getpid()) + " on "), std::string::npos) << what;
  }
  EXPECT_TRUE(held()) << "the refusal must not release the first";
}

TEST_F(FolderLockTest, KilledHolderLeavesNothingBehind) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t holder = fork();
  if (holder == 0) {
    FolderLock lock(folder_);
    (void)!write(ready[1], "x", 1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_TRUE(held());

  kill(holder, SIGKILL);
  waitpid(holder, nullptr, 0);
  EXPECT_FALSE(held());
  close(ready[0]);
  close(ready[1]);
}

TEST_F(FolderLockTest, MovingKeepsTheLock) {
  std::optional<FolderLock> kept;
  {
    FolderLock lock(folder_);
    kept.emplace(std::move(lock));
  }
  EXPECT_TRUE(held());
  kept.reset();
  EXPECT_FALSE(held());
}

TEST_F(FolderLockTest, FolderThatCannotBeMadeIsAnErrorThatNamesIt) {
  if (getuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ASSERT_EQ(chmod(root_.c_str(), 0500), 0);
  EXPECT_THROW(FolderLock lock(folder_), ConfigError);
  chmod(root_.c_str(), 0700);
}

}  // namespace
}  // namespace scalelaw
