// An evaluation shared among ranks.
#include "tests/support/rank_processes.h"
#include "tests/trainer/evaluate_fixture.h"

namespace scalelaw {
namespace {

class EvaluateRanks : public EvaluateTest {};
INSTANTIATE_TEST_SUITE_P(Architectures, EvaluateRanks, testing::Values("transformer", "lstm"));

// Two chunks of windows: of four ranks two have nothing to score.
TEST_P(EvaluateRanks, TogetherSayWhatOneProcessDoesToTheBit) {
  for (const int ranks : {2, 4}) {
    const auto ends = run_ranks(ranks, temp_.path(), [&](RankGroup& group) {
      const auto one = alone();
      expect_equal(score_test_set(evaluator(group), *set_, false),
                   score_test_set(evaluator(*one), *set_, false));
      EXPECT_EQ(mean_test_loss(evaluator(group), *set_, kTokens),
                mean_test_loss(evaluator(*one), *set_, kTokens));
    });
    EXPECT_EQ(ends, std::vector<int>(static_cast<std::size_t>(ranks), 0));
  }
}

}  // namespace
}  // namespace scalelaw
