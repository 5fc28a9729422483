#include "trainer/data/batch_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/token_shard_writer.h"

namespace scalelaw {
namespace {

constexpr BatchGeometry kSmall = {.n_ctx = 8, .batch_windows = 4, .unique_tokens = 8 * 101 + 1};

std::vector<int64_t> places(const BatchStream& stream, int64_t first, int64_t last) {
  std::vector<int64_t> all;
  for (int64_t step = first; step < last; ++step) {
    const auto starts = stream.window_starts(step);
    all.insert(all.end(), starts.begin(), starts.end());
  }
  return all;
}

TEST(BatchStream, BatchDependsOnSeedAndStepAlone) {
  const BatchStream stream(kSmall, 3);
  const auto forward = places(stream, 0, 60);
  const BatchStream again(kSmall, 3);
  for (int64_t step = 59; step >= 0; --step) {
    again.window_starts((step * 17) % 60);
    const auto starts = again.window_starts(step);
    EXPECT_TRUE(std::equal(starts.begin(), starts.end(), forward.begin() + step * 4));
  }
  EXPECT_NE(places(BatchStream(kSmall, 4), 0, 5), places(stream, 0, 5));
}

// Golden: a change here changes every run's data order.
TEST(BatchStream, OrderOfSeedOneIsFixedForEver) {
  const BatchStream stream({.n_ctx = 128, .batch_windows = 8, .unique_tokens = 2'500'001}, 1);
  EXPECT_EQ(stream.windows_per_epoch(), 19531);
  const std::vector<int64_t> first = stream.window_starts(0);
  const std::vector<int64_t> far = stream.window_starts(1'000'000);
  EXPECT_EQ(first, (std::vector<int64_t>{1915392, 2104192, 2075520, 287616, 549632, 1804416, 931584,
                                         1598464}));
  EXPECT_EQ(far, (std::vector<int64_t>{653696, 618368, 1909376, 203392, 1224832, 2240640, 1418368,
                                       83328}));
}

TEST(BatchStream, EveryWindowIsVisitedOnceAnEpoch) {
  for (const int64_t windows : {1, 2, 3, 4, 5, 16, 17, 101, 1000, 4096}) {
    const BatchStream stream({.n_ctx = 8, .batch_windows = 1, .unique_tokens = 8 * windows + 1}, 7);
    ASSERT_EQ(stream.windows_per_epoch(), windows);
    std::vector<std::vector<int64_t>> orders;
    for (int64_t epoch = 0; epoch < 3; ++epoch) {
      auto visited = places(stream, epoch * windows, (epoch + 1) * windows);
      orders.push_back(visited);
      std::sort(visited.begin(), visited.end());
      for (int64_t i = 0; i < windows; ++i) ASSERT_EQ(visited[static_cast<std::size_t>(i)], 8 * i);
    }
    if (windows >= 16) {
      EXPECT_NE(orders[0], orders[1]);
      EXPECT_NE(orders[1], orders[2]);
    }
  }
}

TEST(BatchStream, OrderLooksRandom) {
  // The mean of |start difference| of neighbours is a third of the range for a random order.
  const BatchStream stream({.n_ctx = 1, .batch_windows = 1, .unique_tokens = 20001}, 1);
  const auto order = places(stream, 0, 20000);
  double sum = 0;
  for (std::size_t i = 1; i < order.size(); ++i) {
    sum += std::abs(static_cast<double>(order[i] - order[i - 1]));
  }
  // Its standard error here is 20000 * sqrt(1/18 / 19999) = 33, and somewhat more as they overlap.
  EXPECT_NEAR(sum / 19999, 20000.0 / 3, 200);
}

TEST(BatchStream, WindowAndItsLastTargetLieWithinThePrefix) {
  for (const int64_t tokens : {9, 10, 16, 17, 18, 809, 815}) {
    const BatchStream stream({.n_ctx = 8, .batch_windows = 1, .unique_tokens = tokens}, 1);
    for (const int64_t start : places(stream, 0, 2 * stream.windows_per_epoch())) {
      EXPECT_GE(start, 0);
      EXPECT_LE(start + 8 + 1, tokens);
    }
  }
}

TEST(BatchStream, SmallerPrefixReadsNoOtherTokens) {
  const BatchStream small({.n_ctx = 8, .batch_windows = 4, .unique_tokens = 401}, 5);
  const BatchStream large({.n_ctx = 8, .batch_windows = 4, .unique_tokens = 4001}, 5);
  const auto visited = places(small, 0, 500);
  EXPECT_LE(*std::max_element(visited.begin(), visited.end()), 400 - 8);
  const auto all = places(large, 0, 125);
  const std::set<int64_t> of_large(all.begin(), all.end());
  for (const int64_t start : visited) EXPECT_TRUE(of_large.contains(start));
}

TEST(BatchStream, PrefixWithoutAWindowIsRefused) {
  EXPECT_THROW(BatchStream({.n_ctx = 8, .batch_windows = 1, .unique_tokens = 8}, 1),
               std::invalid_argument);
  EXPECT_THROW(BatchStream({.n_ctx = 8, .batch_windows = 1, .unique_tokens = 0}, 1),
               std::invalid_argument);
  EXPECT_THROW(BatchStream({.n_ctx = 0, .batch_windows = 1, .unique_tokens = 8}, 1),
               std::invalid_argument);
}

TEST(GatherWindows, TargetsAreInputsOneTokenOn) {
  const TempDir temp;
  std::vector<uint32_t> tokens(100);
  std::iota(tokens.begin(), tokens.end(), 0u);
  TokenShardInfo info;
  info.n_vocab = 100;
  info.tokenizer_hash = std::string(32, 'b');
  write_token_shard(temp.path() / "x.tokens", tokens, info);
  const TokenShard shard(temp.path() / "x.tokens");
  const std::vector<int64_t> starts = {40, 0, 95};
  std::vector<int64_t> inputs(12);
  std::vector<int64_t> targets(12);
  gather_windows(shard, starts, 4, inputs, targets);
  EXPECT_EQ(inputs, (std::vector<int64_t>{40, 41, 42, 43, 0, 1, 2, 3, 95, 96, 97, 98}));
  EXPECT_EQ(targets, (std::vector<int64_t>{41, 42, 43, 44, 1, 2, 3, 4, 96, 97, 98, 99}));
  EXPECT_THROW(gather_windows(shard, std::vector<int64_t>{96, 0, 0}, 4, inputs, targets),
               std::out_of_range);
}

TEST(EvaluationStarts, WindowsAreDistinctWholeAndSpreadOverTheSplit) {
  for (const int64_t split_tokens : {1025, 1026, 5000, 131073, 1'000'000}) {
    const auto starts = evaluation_starts(split_tokens, 128, 1024);
    ASSERT_EQ(starts.size(), 8u);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      EXPECT_EQ(starts[i] % 128, 0);
      EXPECT_LE(starts[i] + 129, split_tokens);
      if (i > 0) {
        EXPECT_GT(starts[i], starts[i - 1]);
      }
    }
    EXPECT_GE(starts.back(), split_tokens / 2);
  }
  EXPECT_EQ(evaluation_starts(1025, 128, 1151), evaluation_starts(1025, 128, 1024));
}

TEST(EvaluationStarts, MoreThanTheSplitHoldsIsTheUsersToMend) {
  EXPECT_EQ(evaluation_starts(1025, 128, 1024).size(), 8u);
  EXPECT_THROW(evaluation_starts(1024, 128, 1024), ConfigError);
  EXPECT_THROW(evaluation_starts(1'000'000, 128, 127), ConfigError);
}

}  // namespace
}  // namespace scalelaw
