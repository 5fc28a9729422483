// One run on several ranks: the same run within rounding, whole on any number of them.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "tests/support/rank_processes.h"
#include "tests/trainer/pack_fixture.h"
#include "trainer/config_error.h"
#include "trainer/pack_rules.h"

namespace scalelaw {
namespace {

class PackRanks : public PackTest {
 protected:
  // Trains on `size` ranks to the end, or until rank `stopping` asks for a stop after `stop_at`
  // updates. Ranks other than 0 are given a store of their own, which must stay empty.
  RunFolder run_on(int size, const RunConfig& config, const std::string& store,
                   int64_t stop_at = -1, int stopping = 0) {
    const auto ends = run_ranks(size, temp_.path(), [&](RankGroup& group) {
      Pack pack({config}, options_of(group, store));
      std::atomic<bool> stop{false};
      std::vector<std::unique_ptr<Observer>> observers;
      observers.push_back(make_metrics_observer(pack));
      observers.push_back(std::make_unique<AfterUpdate>(group.rank() == stopping ? stop_at : -1,
                                                        [&] { stop = true; }));
      if (!pack.finished()) train(pack, observers, stop);
    });
    EXPECT_EQ(ends, std::vector<int>(size, 0));
    EXPECT_FALSE(fs::exists(temp_.path() / "nobody"));
    return {fs::directory_iterator(temp_.path() / store)->path()};
  }
  PackOptions options_of(RankGroup& group, const std::string& store) {
    PackOptions o = options(group.rank() == 0 ? store : "nobody");
    o.ranks = std::shared_ptr<RankGroup>(&group, [](RankGroup*) {});
    if (group.size() > 1) o.provenance.ranks = group.size();
    return o;
  }
  double test_loss(const RunFolder& folder) {
    return read_run_record(folder).test.at("tiny").loss_nats;
  }
};
INSTANTIATE_TEST_SUITE_P(Architectures, PackRanks, testing::Values("transformer", "lstm"));

// Sums in another order differ by rounding, and training amplifies that by an amount of its own:
// how much, the same run tells on one process with each batch summed in two halves.
TEST_P(PackRanks, EndWhereOneProcessDoesWithinRounding) {
  const RunConfig config = tiny_run(GetParam());
  RunConfig halves = config;
  halves.how.micro_batch_tokens = config.train.batch_tokens / 2;
  const RunFolder whole = run_on(1, config, "alone");
  const double loss = test_loss(whole);
  const double by_rounding = std::abs(test_loss(run_on(1, halves, "halves")) - loss);
  EXPECT_GT(by_rounding, 0);
  EXPECT_LT(by_rounding, 1e-4) << "so the bound below says something";
  for (const int size : {2, 4}) {
    const RunFolder folder = run_on(size, config, std::to_string(size));
    EXPECT_EQ(folder.path.filename(), whole.path.filename());
    EXPECT_LE(std::abs(test_loss(folder) - loss), 10 * by_rounding) << size;
    const auto a = read_metrics(whole), b = read_metrics(folder);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      EXPECT_EQ(a[i].step, b[i].step);
      EXPECT_EQ(a[i].test_loss_nats.size(), b[i].test_loss_nats.size());
      EXPECT_NEAR(*a[i].train_loss_nats, *b[i].train_loss_nats, 1e-4);
    }
    EXPECT_EQ(read_run_record(folder).attempts.at(0).provenance.ranks, size);
  }
}

// Every eighth of 16 windows, whoever holds them.
TEST_P(PackRanks, MeasureTheNoiseScaleOfTheSameWindows) {
  RunConfig config = tiny_run(GetParam());
  config.train.batch_tokens = 128;
  config.horizon.tokens = 10 * 128;
  config.how.log_every = 1;
  config.evaluate.noise_scale_every = 2;
  const auto alone = read_metrics(run_on(1, config, "alone"));
  const auto shared = read_metrics(run_on(2, config, "shared"));
  ASSERT_EQ(alone.size(), 10u);
  ASSERT_EQ(shared.size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    ASSERT_EQ(alone[i].noise_measurements.has_value(), alone[i].step % 2 == 0);
    ASSERT_EQ(shared[i].noise_measurements, alone[i].noise_measurements);
    if (!alone[i].noise_measurements) continue;
    const double noise = *alone[i].grad_noise_tokens;
    EXPECT_NEAR(*shared[i].grad_noise_tokens, noise, 1e-4 * noise) << alone[i].step;
    const double gradient = *alone[i].grad_norm * *alone[i].grad_norm;
    EXPECT_NEAR(*shared[i].grad_sq_norm, *alone[i].grad_sq_norm, 1e-4 * gradient);
  }
}

TEST_P(PackRanks, MeasuringTheNoiseScaleChangesNoStep) {
  const RunConfig config = tiny_run(GetParam());
  RunConfig measured = config;
  measured.evaluate.noise_scale_every = 1;
  const RunFolder without = run_on(2, config, "without");
  const RunFolder with = run_on(2, measured, "with");
  EXPECT_EQ(weights(with, 60), weights(without, 60));
  EXPECT_EQ(test_loss(with), test_loss(without));
  const auto a = read_metrics(with), b = read_metrics(without);
  ASSERT_EQ(a.size(), b.size());
  int64_t measurements = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].train_loss_nats, b[i].train_loss_nats) << a[i].step;
    EXPECT_EQ(a[i].grad_norm, b[i].grad_norm) << a[i].step;
    measurements += a[i].noise_measurements.value_or(0);
  }
  EXPECT_EQ(measurements, 60);
}

TEST_P(PackRanks, StoppedByAnyRankAndResumedOnAsManyIsUninterrupted) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run_on(4, config, "whole");
  int stopping = 0;
  for (const int64_t stop : {1, 13, 40, 58}) run_on(4, config, "parts", stop, stopping++);
  const RunFolder parts = run_on(4, config, "parts");
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  expect_equal_metrics(whole, parts);
  EXPECT_EQ(test_loss(whole), test_loss(parts));
  EXPECT_EQ(read_run_record(parts).attempts.size(), 5u);
}

TEST_P(PackRanks, ALostRankCostsTheUpdateInProgressAndNoBit) {
  const RunConfig config = tiny_run(GetParam());
  const RunFolder whole = run_on(2, config, "whole");
  const auto ends = run_ranks(2, temp_.path(), [&](RankGroup& group) {
    Pack pack({config}, options_of(group, "parts"));
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(std::make_unique<AfterUpdate>(group.rank() == 1 ? 20 : -1,
                                                      [] { kill(getpid(), SIGKILL); }));
    EXPECT_THROW(train(pack, observers, std::atomic<bool>{false}), LostRank);
    // Rank 0 may have had the sums of the update after.
    EXPECT_GE(pack.step(), 20);
    EXPECT_LE(pack.step(), 21);
    EXPECT_TRUE(fs::exists(checkpoint_file(pack.members().front().folder(), pack.step())));
  });
  EXPECT_EQ(ends, (std::vector<int>{0, 128 + SIGKILL}));
  const RunFolder parts = run_on(2, config, "parts");
  EXPECT_EQ(weights(whole, 60), weights(parts, 60));
  expect_equal_metrics(whole, parts);
}

TEST_P(PackRanks, GoesOnOnAnotherNumberOfRanksAndSaysSo) {
  const RunConfig config = tiny_run(GetParam());
  RunConfig halves = config;
  halves.how.micro_batch_tokens = config.train.batch_tokens / 2;
  const double loss = test_loss(run_on(1, config, "alone"));
  const double by_rounding = std::abs(test_loss(run_on(1, halves, "halves")) - loss);
  run_on(2, config, "moved", 20, 1);
  run_on(1, config, "moved", 35);
  const RunFolder moved = run_on(4, config, "moved");
  EXPECT_LE(std::abs(test_loss(moved) - loss), 10 * by_rounding);
  std::string events;
  for (const RunEvent& event : read_run_record(moved).events) {
    events += event.kind + ": " + event.detail + "\n";
  }
  EXPECT_NE(events.find("ranks 2 -> 1"), std::string::npos) << events;
  EXPECT_NE(events.find("ranks 1 -> 4"), std::string::npos) << events;
}

TEST_P(PackRanks, MicroBatchesAndRanksTogether) {
  RunConfig config = tiny_run(GetParam());
  config.train.batch_tokens = 64;  // 8 windows: 4 a rank, in two parts
  RunConfig quarters = config;
  quarters.how.micro_batch_tokens = 16;
  const double loss = test_loss(run_on(1, config, "alone"));
  EXPECT_NEAR(test_loss(run_on(2, quarters, "quarters")), loss, 1e-4);
}

TEST(RanksRules, NameTheNumbersThatCanShareABatch) {
  RunConfig config = tiny_run("transformer");
  config.train.batch_tokens = 96;  // 12 windows
  const auto complaint = [](const std::vector<RunConfig>& configs, int ranks) -> std::string {
    try {
      check_can_share_batches(configs, ranks);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  for (const int ranks : {1, 2, 3, 4, 6, 12}) EXPECT_EQ(complaint({config}, ranks), "");
  EXPECT_NE(complaint({config}, 5).find("train.batch_tokens = 96"), std::string::npos);
  EXPECT_NE(complaint({config}, 5).find("can: 1, 2, 3, 4, 6, 12"), std::string::npos);
  EXPECT_NE(complaint({config}, 24).find("12 windows"), std::string::npos);
  EXPECT_NE(complaint({config, config}, 2).find("pack of 2"), std::string::npos);
  EXPECT_EQ(complaint({config, config}, 1), "");
  config.evaluate.noise_scale_every = 4;
  EXPECT_EQ(complaint({config}, 6), "");
  EXPECT_EQ(complaint({config}, 12),
            "evaluate.noise_scale_every = 4: compares the gradient of each process's windows with "
            "that of a part of them, and 12 processes have one window each; set it to 0, or train "
            "on 6 processes at most");
  config.train.batch_tokens = 120;  // 15 windows
  EXPECT_NE(complaint({config}, 15).find("train on 5 processes at most"), std::string::npos);
  config.train.batch_tokens = 24;
  EXPECT_NE(complaint({config}, 3).find("train on 1 process"), std::string::npos);
  config.train.batch_tokens = 96;
  config.evaluate.noise_scale_every = 0;
  config.how.micro_batch_tokens = 32;  // of 6 windows a rank
  EXPECT_NE(complaint({config}, 2).find("how.micro_batch_tokens = 32"), std::string::npos);
  EXPECT_EQ(complaint({config}, 3), "");
}

}  // namespace
}  // namespace scalelaw
