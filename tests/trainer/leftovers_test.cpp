#include "trainer/leftovers.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "tests/support/temp_dir.h"
#include "trainer/checkpoint_files.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class LeftoversTest : public testing::Test {
 protected:
  LeftoversTest() {
    for (const fs::path& place : {folder_.checkpoints(), folder_.attempts()}) {
      fs::create_directories(place);
    }
    for (const char* draft : {".draft-1", "checkpoints/.draft-2", "attempts/.draft-3"}) make(draft);
    for (const int64_t step : {10, 20, 30}) make_checkpoint(step);
  }
  void make(const fs::path& name) const { std::ofstream(folder_.path / name) << "x"; }
  void make_checkpoint(int64_t step) const { std::ofstream(checkpoint_file(folder_, step)) << "x"; }
  std::set<std::string> names() const {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder_.path)) {
      if (entry.is_regular_file()) names.insert(entry.path().filename().string());
    }
    return names;
  }

  TempDir temp_;
  RunFolder folder_{temp_.path() / "a run"};
};

constexpr const char* k10 = "step-000000000010.safetensors";
constexpr const char* k20 = "step-000000000020.safetensors";

TEST_F(LeftoversTest, DraftsAndCheckpointsOfAnAbandonedHistoryAreRemoved) {
  int checks = 0;
  Leftovers(folder_).remove_after(20, [&] { ++checks; });
  EXPECT_EQ(names(), (std::set<std::string>{k10, k20}));
  EXPECT_EQ(checks, 4) << "one before each";
  Leftovers(RunFolder{temp_.path() / "none"}).remove_after(0, [] {});
}

// As of one that stood still until it was replaced, and wakes.
TEST_F(LeftoversTest, WhatASuccessorWroteStays) {
  const Leftovers seen(folder_);
  make_checkpoint(40);
  make("checkpoints/.draft-4");
  seen.remove_after(0, [] {});
  EXPECT_EQ(names(), (std::set<std::string>{"step-000000000040.safetensors", ".draft-4"}));
}

TEST_F(LeftoversTest, NothingIsRemovedOnceTheFolderIsAnothers) {
  const RunLease lease(folder_.path);
  const Leftovers seen(folder_);
  int removed = 0;
  const auto replaced_after_two = [&] {
    if (removed++ == 2) std::ofstream(folder_.path / "lease.0002.json") << "another's";
    lease.check();
  };
  EXPECT_THROW(seen.remove_after(0, replaced_after_two), LostLease);
  EXPECT_EQ(removed, 3);
  EXPECT_EQ(names().size(), 6u) << "four of six, and two leases";
}

}  // namespace
}  // namespace scalelaw
