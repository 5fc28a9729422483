// What a group of processes promises: equal bits, peers that are about the same run, a lost rank
// that is noticed.
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "tests/support/rank_processes.h"
#include "tests/support/temp_dir.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/parallel/rendezvous.h"

namespace scalelaw {
namespace {

class RankGroupOf : public testing::TestWithParam<int> {
 protected:
  std::vector<int> all(int end) const { return std::vector<int>(GetParam(), end); }
  TempDir temp_;
};
INSTANTIATE_TEST_SUITE_P(Processes, RankGroupOf, testing::Values(2, 4));

TEST_P(RankGroupOf, SumsAreEqualBitsOnAllRanks) {
  const int size = GetParam();
  EXPECT_EQ(run_ranks(size, temp_.path(),
                      [&](RankGroup& group) {
                        EXPECT_EQ(group.size(), size);
                        const at::Tensor whole = at::arange(1000, at::kLong) * (group.rank() + 1);
                        group.sum(whole);
                        EXPECT_TRUE(at::equal(
                            whole, at::arange(1000, at::kLong) * (size * (size + 1) / 2)));
                        // Sums that round, by an order of their own.
                        const at::Tensor x =
                            (at::arange(1001, at::kFloat) + 0.1 * (group.rank() + 1)).sin();
                        group.sum(x);
                        EXPECT_TRUE(ranks_that_differ(group, x).empty());
                      }),
            all(0));
}

TEST_P(RankGroupOf, BroadcastIsRankZeros) {
  EXPECT_EQ(run_ranks(GetParam(), temp_.path(),
                      [&](RankGroup& group) {
                        const at::Tensor x = at::full({5}, group.rank() + 7, at::kFloat);
                        group.broadcast(x);
                        EXPECT_TRUE(at::equal(x, at::full({5}, 7, at::kFloat)));
                        const std::string own = std::string(40, 'a' + group.rank());
                        EXPECT_EQ(broadcast_text(group, own), std::string(40, 'a'));
                        EXPECT_EQ(broadcast_text(group, ""), "");
                      }),
            all(0));
}

TEST_P(RankGroupOf, RanksThatDifferAreNamedToAll) {
  const int size = GetParam();
  EXPECT_EQ(run_ranks(size, temp_.path(),
                      [&](RankGroup& group) {
                        at::Tensor x = at::arange(64, at::kFloat);
                        if (group.rank() == size - 1) x[17] = x[17] + 1e-6;
                        EXPECT_EQ(ranks_that_differ(group, x), std::vector<int>{size - 1});
                      }),
            all(0));
}

TEST_P(RankGroupOf, ALostRankIsNoticedWithinSeconds) {
  const int size = GetParam(), lost = size - 1;
  std::vector<int> ends = all(0);
  ends.back() = 128 + SIGKILL;
  EXPECT_EQ(run_ranks(size, temp_.path(),
                      [&](RankGroup& group) {
                        const at::Tensor x = at::full({1 << 16}, 1, at::kFloat);
                        group.sum(x);
                        if (group.rank() == lost) kill(getpid(), SIGKILL);
                        const double start = monotonic_seconds();
                        // Ends within as many sums as it takes the news to go round.
                        EXPECT_THROW(for (int i = 0; i < 1000; ++i) group.sum(x), LostRank);
                        EXPECT_LT(monotonic_seconds() - start, 5);
                      }),
            ends);
}

TEST_P(RankGroupOf, ARankThatWasStartedOtherwiseIsRefusedByName) {
  const int size = GetParam();
  // Joins a second group, whose ranks do not agree.
  EXPECT_EQ(run_ranks(size, temp_.path(),
                      [&](RankGroup& group) {
                        Membership membership;
                        membership.rank = group.rank();
                        membership.size = size;
                        membership.meeting_file = "second";
                        RendezvousOptions options;
                        options.runs = temp_.path();
                        options.credentials = {{"run", "one"}, {"program", "0.1"}};
                        if (group.rank() == size - 1) options.credentials["run"] = "other";
                        try {
                          join_group(membership, options);
                          ADD_FAILURE() << "joined";
                        } catch (const ConfigError& error) {
                          const std::string said = error.what();
                          EXPECT_NE(said.find("rank " + std::to_string(size - 1) + " of " +
                                              std::to_string(size)),
                                    std::string::npos)
                              << said;
                          EXPECT_NE(said.find("run other, not one"), std::string::npos) << said;
                          EXPECT_EQ(said.find("0.1"), std::string::npos) << said;
                        }
                      }),
            all(0));
}

TEST(RankGroup, WhoeverWaitsInVainSaysForWhom) {
  const TempDir temp;
  Membership membership;
  membership.size = 2;
  membership.meeting_file = "meeting";
  RendezvousOptions options;
  options.runs = temp.path();
  options.seconds_to_meet = 1;
  try {
    join_group(membership, options);
    FAIL();
  } catch (const LostRank& error) {
    EXPECT_NE(std::string(error.what()).find("rank 0 of 2"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace scalelaw
