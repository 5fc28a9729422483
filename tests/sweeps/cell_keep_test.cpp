// What a sweep's `keep` makes of its cells, and of the disk that plan predicts.
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "sweeps/plan/disk_needs.h"
#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

using Keeps = std::vector<KeptCheckpoint>;
constexpr KeptCheckpoint kWhole = KeptCheckpoint::kWhole, kWeights = KeptCheckpoint::kWeights,
                         kNone = KeptCheckpoint::kNone;

class CellKeepTest : public PlanTest {
 protected:
  static Keeps keeps(const Plan& plan) {
    Keeps all;
    for (const PlannedCell& cell : plan.cells) all.push_back(cell.config.how.keep);
    return all;
  }
  Keeps keeps(const std::string& yaml) const { return keeps(plan(kBase + yaml)); }
  static std::string until_complete(const std::string& weights) {
    return "keep: {resume_state: until_complete" +
           (weights.empty() ? "" : ", weights: " + weights) + "}\n";
  }
};

const std::string kSizes = "grid: {model.d_model: [16, 32, 64]}\n";
const std::string kHeldOut = "hold_out: {where: d_model > 32, register: largest}\n";

TEST_F(CellKeepTest, IsAsTheSweepSaysAndWholeWithoutIt) {
  EXPECT_EQ(keeps(kSizes), Keeps(3, kWhole));
  EXPECT_EQ(keeps(kSizes + "keep: {resume_state: always, weights: all}\n"), Keeps(3, kWhole));
  EXPECT_EQ(keeps(kSizes + until_complete("")), Keeps(3, kWeights));
  EXPECT_EQ(keeps(kSizes + until_complete("all")), Keeps(3, kWeights));
  EXPECT_EQ(keeps(kSizes + until_complete("none") + kHeldOut), Keeps(3, kNone));
  EXPECT_EQ(keeps(kSizes + until_complete("hold_out") + kHeldOut), (Keeps{kNone, kNone, kWeights}));
}

TEST_F(CellKeepTest, ChangesNoHash) {
  const auto hashes = [&](const std::string& keep) {
    std::vector<std::string> all;
    for (const PlannedCell& cell : plan(kBase + kSizes + keep).cells) {
      all.push_back(cell.content_hash + cell.folder);
    }
    return all;
  };
  EXPECT_EQ(hashes(until_complete("none")), hashes(""));
  EXPECT_EQ(hashes("how: {keep: weights}\n"), hashes(""));
}

TEST_F(CellKeepTest, WhatACellSaysItselfStandsAndOfEqualCellsTheOneThatKeepsMost) {
  EXPECT_EQ(keeps("how: {keep: whole}\n" + kSizes + until_complete("none")), Keeps(3, kWhole));
  const std::string blocks =
      "blocks: [{name: a, how: {keep: none}}, {name: b, how: {keep: weights}}";
  EXPECT_EQ(keeps(blocks + "]\n"), Keeps{kWeights});
  EXPECT_EQ(keeps(blocks + ", {name: c}]\n"), Keeps{kWhole});
  EXPECT_EQ(keeps(blocks + ", {name: c}]\n" + until_complete("none")), Keeps{kWeights});
}

TEST_F(CellKeepTest, OfAnIncludedFileHoldsUntilAnotherTakesItsPlace) {
  const auto write = [&](const std::string& name, const std::string& yaml) {
    std::ofstream(temp_.path() / name) << yaml;
  };
  write("base.yaml", kBase + kSizes + kHeldOut + until_complete("hold_out"));
  write("same.yaml", "name: same\ninclude: base.yaml\n");
  write("other.yaml", "name: other\ninclude: base.yaml\nkeep: {resume_state: always}\n");
  const auto keeps_of = [&](const std::string& name) {
    return keeps(make_plan(read_sweep_spec(temp_.path() / name), options_));
  };
  EXPECT_EQ(keeps_of("same.yaml"), (Keeps{kNone, kNone, kWeights}));
  EXPECT_EQ(keeps_of("other.yaml"), Keeps(3, kWhole));
}

TEST_F(CellKeepTest, ThePlansDiskFollows) {
  const auto stays = [](const Plan& plan) { return bytes_of_complete(plan.cells[2]); };
  const Plan whole = plan(kBase + kSizes), weights = plan(kBase + kSizes + until_complete("")),
             none = plan(kBase + kSizes + until_complete("none"));
  const double one = checkpoint_bytes(whole.cells[2]);
  EXPECT_DOUBLE_EQ(stays(whole) - stays(none), one);
  EXPECT_NEAR(stays(weights) - stays(none), one / 3, 1e-6 * one);
  const auto needs = [](const Plan& plan) {
    return disk_needs(plan, std::vector<CellStatus>(plan.cells.size()));
  };
  EXPECT_DOUBLE_EQ(needs(whole).bytes_at_once, needs(none).bytes_at_once);
  EXPECT_LT(needs(none).bytes_to_stay, needs(weights).bytes_to_stay);
  EXPECT_LT(needs(weights).bytes_to_stay, needs(whole).bytes_to_stay);
  EXPECT_DOUBLE_EQ(needs(none).bytes_at_peak - needs(none).bytes_to_stay, needs(none).bytes_at_once)
      << "while they train they take what they take";
}

}  // namespace
}  // namespace scalelaw
