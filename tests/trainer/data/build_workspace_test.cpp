#include "trainer/data/build_workspace.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <random>
#include <set>

#include "tests/support/recorded_syncs.h"
#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/verify.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class BuildWorkspaceTest : public testing::Test {
 protected:
  void SetUp() override { write_small_corpus(temp_.path() / "tales.jsonl", 60); }

  fs::path root() const { return temp_.path() / "data"; }
  // Replaces the set "tales" by one of this seed.
  void build(uint64_t seed) const {
    BuildOptions options;
    options.data_root = root();
    options.name = "tales";
    options.sources = {(temp_.path() / "tales.jsonl").string()};
    options.tokenizer = "bytes";
    options.corpus.validation_share = 0.1;
    options.corpus.test_share = 0.1;
    options.corpus.seed = seed;
    options.replace = true;
    build_data_set(options, [](const BuildProgress&) {});
  }
  std::vector<std::string> names_in_root() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(root())) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  static pid_t start(const std::function<void()>& work) {
    const pid_t child = ::fork();
    if (child != 0) return child;
    work();
    ::_exit(0);
  }
  static void wait_for_kill(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  TempDir temp_;
};

TEST_F(BuildWorkspaceTest, SecondBuildOfANameIsRefusedWhileTheFirstLives) {
  {
    const BuildWorkspace first(root(), "tales");
    try {
      const BuildWorkspace second(root(), "tales");
      FAIL() << "two builds of one name";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find("in use by pid"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(fs::is_directory(first.draft()));
    EXPECT_NO_THROW(BuildWorkspace(root(), "other"));
  }
  EXPECT_FALSE(fs::exists(root())) << "it was made for a build that published nothing";
}

TEST_F(BuildWorkspaceTest, WhatAKilledBuildLeftIsClearedByTheNext) {
  wait_for_kill(start([this] {
    const BuildWorkspace workspace(root(), "tales");
    write_atomically(workspace.draft() / "train.tokens", "half a split");
    ::kill(::getpid(), SIGKILL);
  }));
  EXPECT_TRUE(fs::exists(build_folder(root(), "tales") / "set/train.tokens"));
  {
    const BuildWorkspace workspace(root(), "tales");
    EXPECT_TRUE(fs::is_empty(workspace.draft()));
  }
  EXPECT_TRUE(names_in_root().empty());
  build(1);
  EXPECT_EQ(names_in_root(), std::vector<std::string>{"tales"});
}

TEST_F(BuildWorkspaceTest, PublishedSetIsOnDiskWithItsNameBeforeTheOldOneGoes) {
  for (const uint64_t seed : {1, 2}) {
    take_recorded_syncs();
    build(seed);
    const std::vector<fs::path> synced = take_recorded_syncs();
    ASSERT_GE(synced.size(), 2u);
    EXPECT_EQ(synced.back(), root());
    EXPECT_EQ(*(synced.rbegin() + 1), build_folder(root(), "tales") / "set");
  }
}

TEST_F(BuildWorkspaceTest, KilledWhereverItIsAReplacementLeavesTheOldSetOrTheNew) {
  build(1);
  const std::string first = open_data_set(root(), "tales").splits.at(Split::kTrain).token_hash;
  build(2);
  const std::string second = open_data_set(root(), "tales").splits.at(Split::kTrain).token_hash;
  ASSERT_NE(first, second);
  std::mt19937 random(1);
  std::set<std::string> seen;
  for (uint64_t i = 0; i < 30; ++i) {
    int built[2];
    ASSERT_EQ(::pipe(built), 0);
    const pid_t child = start([&] {
      for (uint64_t seed = 1 + i % 2;; seed = 3 - seed) {
        build(seed);
        if (::write(built[1], "x", 1) != 1) return;
      }
    });
    ::close(built[1]);
    char ignored = 0;
    if (i % 3 > 0) {
      ASSERT_EQ(::read(built[0], &ignored, 1), 1);
    }
    ::usleep(random() % 30000);
    ::kill(child, SIGKILL);
    wait_for_kill(child);
    ::close(built[0]);
    const DataSetInfo set = open_data_set(root(), "tales");
    verify_data_set(set);
    seen.insert(set.splits.at(Split::kTrain).token_hash);
  }
  EXPECT_EQ(seen, (std::set<std::string>{first, second}));
  build(1);
  EXPECT_EQ(names_in_root(), std::vector<std::string>{"tales"});
}

// Where folders cannot be exchanged, a replacement is two renames.
TEST_F(BuildWorkspaceTest, KilledBetweenTwoRenamesTheOldSetIsReadAndComesBack) {
  build(1);
  const std::string hash = open_data_set(root(), "tales").splits.at(Split::kTrain).token_hash;
  wait_for_kill(start([this] {
    const BuildWorkspace workspace(root(), "tales");
    fs::rename(root() / "tales", replaced_folder(root(), "tales"));
    ::kill(::getpid(), SIGKILL);
  }));
  EXPECT_EQ(open_data_set(root(), "tales").splits.at(Split::kTrain).token_hash, hash);
  { const BuildWorkspace next(root(), "tales"); }
  EXPECT_EQ(names_in_root(), std::vector<std::string>{"tales"});
  EXPECT_EQ(open_data_set(root(), "tales").splits.at(Split::kTrain).token_hash, hash);
}

TEST_F(BuildWorkspaceTest, FailingSecondRenameTakesBackTheFirst) {
  build(1);
  const auto replace = [this](const fs::path& draft) {
    replace_by_renames(draft, root() / "tales", temp_.path() / "aside");
  };
  EXPECT_THROW(replace(temp_.path() / "nothing"), std::runtime_error);
  verify_data_set(open_data_set(root(), "tales"));
  fs::create_directory(temp_.path() / "draft");
  replace(temp_.path() / "draft");
  EXPECT_TRUE(fs::is_empty(root() / "tales"));
  EXPECT_TRUE(fs::exists(temp_.path() / "aside" / kDataSetFile));
}

}  // namespace
}  // namespace scalelaw
