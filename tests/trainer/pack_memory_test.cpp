// Steps computed in the pieces that the memory at hand allows.
#include <string>

#include "tests/trainer/pack_fixture.h"
#include "trainer/config_error.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

class PackMemory : public PackTest {
 protected:
  // Bytes in which a step of `windows` just fits.
  double just_enough(const RunConfig& config, int64_t windows, bool recompute) {
    StepRequest request = request_for(config, canonical(config.model), 1);
    request.shape.n_vocab = TinyDataSet().n_vocab;
    request.windows_at_once = windows;
    request.recompute = recompute ? Recomputation::kBlocks : Recomputation::kNone;
    return choose_step(request, 1e15).needed_bytes / 0.92 + 1;
  }
  RunFolder train_in(const RunConfig& config, const std::string& store, double bytes,
                     int64_t stop_at = -1, int64_t most_tokens_at_once = 0) {
    PackOptions limited = options(store);
    limited.memory_bytes = bytes;
    limited.most_tokens_at_once = most_tokens_at_once;
    Pack pack({config}, std::move(limited));
    const RunFolder folder = pack.members().front().folder();
    std::atomic<bool> stop{false};
    std::vector<std::unique_ptr<Observer>> observers;
    observers.push_back(make_metrics_observer(pack));
    observers.push_back(std::make_unique<AfterUpdate>(stop_at, [&] { stop = true; }));
    train(pack, observers, stop);
    return folder;
  }
};

TEST_P(PackMemory, TheWholeBatchWhereMemorySuffices) {
  const RunConfig config = tiny_run(GetParam());
  const RunRecord record = read_run_record(run({config}, "runs").front());
  EXPECT_EQ(record.attempts.front().provenance.micro_batch_tokens, config.train.batch_tokens);
  EXPECT_EQ(record.attempts.front().provenance.recompute, false);
  EXPECT_EQ(notes_.find("a step:"), std::string::npos);
}

TEST_P(PackMemory, RecomputedBlocksTrainToTheSameBits) {
  RunConfig config = tiny_run(GetParam());
  const RunFolder kept = run({config}, "kept").front();
  config.how.recompute = Recomputation::kBlocks;
  const RunFolder again = run({config}, "again").front();
  EXPECT_EQ(weights(again, 60), weights(kept, 60));
  expect_equal_metrics(again, kept);
  const RunRecord record = read_run_record(again);
  EXPECT_EQ(record.content_hash, read_run_record(kept).content_hash);
  EXPECT_EQ(record.attempts.front().provenance.recompute, true);
  EXPECT_NE(notes_.find("blocks recomputed"), std::string::npos) << notes_;
}

TEST_P(PackMemory, ARunGoesOnInThePiecesThatItBeganWith) {
  const RunConfig config = tiny_run(GetParam());
  const double little = just_enough(config, 2, true);
  const RunFolder whole = train_in(config, "whole", little);
  const RunRecord record = read_run_record(whole);
  const int64_t pieces = record.attempts.front().provenance.micro_batch_tokens;
  ASSERT_LT(pieces, config.train.batch_tokens);
  train_in(config, "parts", little, 17);
  const RunFolder parts = train_in(config, "parts", 1e12);
  EXPECT_EQ(weights(parts, 60), weights(whole, 60));
  const RunRecord resumed = read_run_record(parts);
  EXPECT_EQ(resumed.attempts.back().provenance.micro_batch_tokens, pieces);
  for (const RunEvent& event : resumed.events) EXPECT_NE(event.kind, "moved") << event.detail;
}

TEST_P(PackMemory, OtherPiecesThanBeforeAreAnEvent) {
  const RunConfig config = tiny_run(GetParam());
  train_in(config, "runs", 1e12, 17);
  const RunRecord record = read_run_record(train_in(config, "runs", just_enough(config, 1, true)));
  const auto moved = std::ranges::find_if(
      record.events, [](const RunEvent& event) { return event.kind == "moved"; });
  ASSERT_NE(moved, record.events.end());
  EXPECT_EQ(moved->detail, "micro_batch_tokens 32 -> 8");
}

TEST_P(PackMemory, ALimitOfTokensAtOnceLeavesFewerToTheMemory) {
  RunConfig config = tiny_run(GetParam());
  config.how.recompute = Recomputation::kNone;
  const auto pieces = [&](const std::string& store, double bytes) {
    const RunFolder folder = train_in(config, store, bytes, /*stop_at=*/3, 16);
    return read_attempts(folder).back().provenance.micro_batch_tokens;
  };
  EXPECT_EQ(pieces("much", 1e12), 16);
  EXPECT_EQ(pieces("little", just_enough(config, 1, false)), 8);
  config.how.micro_batch_tokens = 32;
  EXPECT_EQ(pieces("asked", 1e12), 16);
}

TEST_P(PackMemory, AStepThatDoesNotFitIsRefusedBeforeAnythingIsWritten) {
  const RunConfig config = tiny_run(GetParam());
  EXPECT_THROW(train_in(config, "runs", 1e6), ConfigError);
  EXPECT_FALSE(fs::exists(temp_.path() / "runs"));
}

INSTANTIATE_TEST_SUITE_P(Architectures, PackMemory, testing::Values("transformer", "lstm"));

}  // namespace
}  // namespace scalelaw
