// Every way of making a step on a CPU against 40 steps of plain PyTorch in float64.
#include "tests/trainer/golden_training.h"
#include "tests/support/rank_processes.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

INSTANTIATE_TEST_SUITE_P(Architectures, GoldenTraining, testing::Values("transformer", "lstm"));

TEST_P(GoldenTraining, FusedAndItsEqualsFollowTheReference) {
  const Curve fused = train({});
  expect_as_near_as_plain(fused, plain_float());
  EXPECT_LT(fused.loss_nats.back(), 0.6 * fused.loss_nats.front()) << "so there was training";
  Way recomputed, device;
  recomputed.execution.recompute_blocks = true;
  device.on_device = true;
  EXPECT_EQ(train(recomputed), fused);
  EXPECT_EQ(train(device), fused);
}

TEST_P(GoldenTraining, PackedAndInPiecesFollowsTheReference) {
  const Distance plain = plain_float();
  Way packed, pieces, both;
  packed.replicas = both.replicas = 3;
  packed.replica = both.replica = 1;
  pieces.micro_batch_windows = both.micro_batch_windows = 2;
  both.on_device = true;
  for (const Way& way : {packed, pieces, both}) expect_as_near_as_plain(train(way), plain);
}

TEST_P(GoldenTraining, InBFloat16FollowsTheReference) {
  const Distance plain_bfloat16 = plain(at::kBFloat16, {0.003, 0.03});
  Way way;
  way.execution.compute_dtype = at::kBFloat16;
  const Curve fused = train(way);
  expect_as_near_as_plain(fused, plain_bfloat16);
  way.on_device = true;
  EXPECT_EQ(train(way), fused);
}

TEST_P(GoldenTraining, OnTwoRanksFollowsTheReference) {
  const TempDir temp;
  const auto ends = run_ranks(2, temp.path(), [&](RankGroup& group) {
    const Distance plain = plain_float();
    Way way;
    way.ranks = &group;
    expect_as_near_as_plain(train(way), plain);
  });
  EXPECT_EQ(ends, (std::vector<int>{0, 0}));
}

}  // namespace
}  // namespace scalelaw
