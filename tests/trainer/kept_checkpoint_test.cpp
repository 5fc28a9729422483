// What a complete run keeps of its checkpoint (how.keep), and that nothing before is less.
#include "trainer/kept_checkpoint.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/small_disk.h"
#include "tests/trainer/pack_fixture.h"
#include "trainer/config_error.h"
#include "trainer/loaded_model.h"
#include "trainer/model_files.h"

namespace scalelaw {
namespace {

class Keep : public PackTest {
 protected:
  RunConfig keeping(KeptCheckpoint keep) const {
    RunConfig config = tiny_run(GetParam());
    config.how.keep = keep;
    return config;
  }
  static std::map<std::string, std::string> tensors(const fs::path& file) {
    const SafetensorsFile whole(file);
    std::map<std::string, std::string> bytes;
    for (const auto& [name, view] : whole.tensors()) {
      bytes[name].assign(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    }
    return bytes;
  }
  static std::size_t files_in(const fs::path& folder) {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), {}));
  }
  std::string error_of_run(const RunConfig& config, const std::string& store) {
    try {
      run({config}, store);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
};
INSTANTIATE_TEST_SUITE_P(Architectures, Keep, testing::Values("transformer", "lstm"));

TEST_P(Keep, WeightsAreTheWholeCheckpointsAndAThirdOfIt) {
  const RunFolder whole = run({keeping(KeptCheckpoint::kWhole)}, "whole").front();
  const RunFolder cut = run({keeping(KeptCheckpoint::kWeights)}, "cut").front();
  EXPECT_EQ(whole.path.filename(), cut.path.filename()) << "no part of what a run is";
  const fs::path file = checkpoint_file(cut, 60);
  EXPECT_EQ(files_in(cut.checkpoints()), 1u);
  auto expected = tensors(checkpoint_file(whole, 60));
  std::erase_if(expected, [](const auto& each) { return !each.first.starts_with("model."); });
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(tensors(file), expected);
  EXPECT_EQ(bytes_beside_weights(file), 0u);
  uint64_t bytes = 0;
  for (const auto& [name, text] : expected) bytes += text.size();
  EXPECT_EQ(bytes_beside_weights(checkpoint_file(whole, 60)), 2 * bytes);
  const ModelFiles model = open_model(cut.path);
  EXPECT_EQ(model.run_step, 60);
  EXPECT_EQ(model.content_hash, read_run_record(cut).content_hash);
  EXPECT_EQ(read_cursor(file).pack, std::vector<std::string>{model.content_hash});
  const LoadedModel one(open_model(whole.path), at::kCPU), other(model, at::kCPU);
  const at::Tensor ids = at::arange(8, at::kLong).view({1, 1, 8});
  EXPECT_TRUE(at::equal(one.model().logits(ids), other.model().logits(ids)));
}

TEST_P(Keep, NoneLeavesNoneAndWhoAsksForWeightsIsToldWhy) {
  const RunFolder folder = run({keeping(KeptCheckpoint::kNone)}, "runs").front();
  EXPECT_EQ(files_in(folder.checkpoints()), 0u);
  EXPECT_EQ(read_run_record(folder).state, RunState::kComplete);
  try {
    open_model(folder.path);
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what())
                  .find("is complete and holds no weights: they were not "
                        "kept (how.keep: none"),
              std::string::npos)
        << error.what();
  }
  run({keeping(KeptCheckpoint::kNone)}, "runs");
  EXPECT_NE(notes_.find("complete already"), std::string::npos) << notes_;
}

TEST_P(Keep, NothingIsLessBeforeTheResultIsThere) {
  const RunFolder whole = run({keeping(KeptCheckpoint::kWhole)}, "whole").front();
  RunFolder parts;
  for (const int64_t stop : {1, 13, 40, 60}) {
    parts = run({keeping(KeptCheckpoint::kNone)}, "parts", stop).front();
    if (stop < 60) {
      ASSERT_GT(bytes_beside_weights(checkpoint_file(parts, stop)), 0u);
    }
  }
  run({keeping(KeptCheckpoint::kWeights)}, "parts");
  expect_equal_metrics(whole, parts);
  EXPECT_EQ(read_run_record(whole).test.at("tiny").loss_nats,
            read_run_record(parts).test.at("tiny").loss_nats);
}

TEST_P(Keep, MembersOfAPackKeepEachItsOwnAndOneThatDivergedAll) {
  std::vector<RunConfig> configs(4, keeping(KeptCheckpoint::kWhole));
  for (std::size_t r = 0; r < configs.size(); ++r) {
    configs[r].seeds.init = static_cast<int64_t>(1 + r);
  }
  configs[1].how.keep = KeptCheckpoint::kWeights;
  configs[1].horizon.tokens = 30 * 32;  // and the others go on
  configs[2].how.keep = configs[3].how.keep = KeptCheckpoint::kNone;
  configs[3].train.learning_rate = 1e30;
  configs[3].train.optimizer.clip_norm = 0;
  const std::vector<RunFolder> folders = run(configs, "pack");
  EXPECT_GT(bytes_beside_weights(checkpoint_file(folders[0], 60)), 0u);
  EXPECT_EQ(bytes_beside_weights(checkpoint_file(folders[1], 30)), 0u);
  EXPECT_TRUE(checkpoint_steps(folders[2]).empty());
  ASSERT_EQ(read_run_record(folders[3]).state, RunState::kDiverged);
}

TEST_P(Keep, ADiskWithoutRoomForItFailsNoRunAndKeepsTheWholeOne) {
  const fs::path store = temp_.path() / "small", filler = store / "filler", room = store / "room";
  if (const std::string why = mount_small_disk(store, 16 << 20); !why.empty()) GTEST_SKIP() << why;
  RunConfig config = keeping(KeptCheckpoint::kWeights);
  config.model.d_model = 128;
  Pack pack({config}, options("small"));
  const RunFolder folder = pack.members().front().folder();
  std::vector<std::unique_ptr<Observer>> observers;
  observers.push_back(make_metrics_observer(pack));
  observers.push_back(std::make_unique<AfterUpdate>(60, [&] {
    pack.write_checkpoints();
    std::ofstream(room) << std::string(200 << 10, ' ');
    fill_disk(filler);
    fs::remove(room);
  }));
  EXPECT_EQ(train(pack, observers, false), TrainOutcome::kFinished);
  EXPECT_EQ(read_run_record(folder).state, RunState::kComplete);
  EXPECT_NE(notes_.find("is complete, and more of its checkpoints stays than how.keep asks for: "),
            std::string::npos)
      << notes_;
  EXPECT_NE(notes_.find("No space left on device; `scalelaw runs clean` takes that away"),
            std::string::npos)
      << notes_;
  EXPECT_GT(bytes_beside_weights(checkpoint_file(folder, 60)), 0u);
  EXPECT_EQ(files_in(folder.checkpoints()), 1u) << "no draft";
}

TEST_P(Keep, FromWeightsAloneNothingGoesOnAndNothingIsThrownAway) {
  const RunConfig config = keeping(KeptCheckpoint::kWeights);
  const RunFolder folder = run({config}, "runs").front();
  fs::remove(folder.record());
  const std::string error = error_of_run(config, "runs");
  EXPECT_NE(error.find("holds weights alone, as how.keep: weights or"), std::string::npos) << error;
  EXPECT_NE(error.find("; move the folder's checkpoints away to begin at step 0"),
            std::string::npos)
      << error;
  EXPECT_EQ(checkpoint_steps(folder), std::vector<int64_t>{60});
}

TEST_P(Keep, ADamagedCheckpointIsNotCut) {
  const RunFolder folder = run({keeping(KeptCheckpoint::kWhole)}, "runs").front();
  const fs::path file = checkpoint_file(folder, 60);
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end)
      << '!';
  const auto size = fs::file_size(file);
  EXPECT_THROW(keep_weights_alone(file), DamagedFile);
  EXPECT_EQ(fs::file_size(file), size);
}

}  // namespace
}  // namespace scalelaw
