// Ids that were made elsewhere train the same run as text that was built here.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/data/data_set.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class Import : public testing::Test {
 protected:
  void SetUp() override {
    write_small_corpus(in("tales.jsonl"), 60);
    data({"build", in("tales.jsonl"), "--name", "built", "--tokenizer", "bpe:300", "--val", "10%",
          "--test", "10%"});
    // A shard is a header of 4096 bytes and u16 ids: without it the ids are those of any program.
    for (const char* split : {"train", "val", "test"}) {
      const std::string shard =
          read_whole_file(temp_.path() / "data" / "built" / (std::string(split) + ".tokens"));
      std::ofstream(in(std::string(split) + ".bin"), std::ios::binary) << shard.substr(4096);
    }
  }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  void data(std::vector<std::string> words) const {
    words.insert(words.begin(), "scalelaw-data");
    words.insert(words.end(), {"--data", in("data"), "--quiet"});
    const ProgramResult result = run_program(words);
    ASSERT_EQ(result.exit_code, 0) << result.output;
  }
  void import(const std::string& name, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {"import", in("train.bin"), "--val",  in("val.bin"),
                                      "--test", in("test.bin"),  "--name", name};
    words.insert(words.end(), more.begin(), more.end());
    data(words);
  }
  // What training on `set` printed.
  std::string train(const std::string& set) const {
    std::ofstream(in(set + ".yaml")) << "spec: 1\ndata: {train: " << set << ", test: {" << set
                                     << ": 1024}}\nhorizon: {tokens: 2560}\n"
                                        "model: {n_layer: 1, d_model: 16, n_head: 2, n_ctx: 32}\n"
                                        "train: {batch_tokens: 256}\nevaluate: {tokens: 256}\n";
    const ProgramResult run =
        run_program({"scalelaw-train", "train", in(set + ".yaml"), "--runs", in("runs-" + set),
                     "--data", in("data"), "--device", "cpu", "--threads", "1"});
    EXPECT_EQ(run.exit_code, 0) << run.output;
    return run.output;
  }
  RunRecord record(const std::string& set) const {
    return read_run_record({*fs::directory_iterator(in("runs-" + set))});
  }

  TempDir temp_;
};

TEST_F(Import, TheSameIdsAreTheSameTokensAndTrainToTheSameBits) {
  import("imported", {"--tokenizer", "set:built"});
  const DataSetInfo built = open_data_set(in("data"), "built");
  const DataSetInfo imported = open_data_set(in("data"), "imported");
  EXPECT_EQ(imported.tokenizer_hash, built.tokenizer_hash);
  for (const Split split : kSplits) {
    EXPECT_EQ(imported.splits.at(split).token_hash, built.splits.at(split).token_hash);
    EXPECT_EQ(imported.splits.at(split).text_bytes, built.splits.at(split).text_bytes)
        << "counted from the ids";
  }
  train("built");
  train("imported");
  const RunRecord one = record("built"), other = record("imported");
  EXPECT_EQ(one.train_hash, other.train_hash);
  EXPECT_EQ(one.tokenizer_hash, other.tokenizer_hash);
  EXPECT_EQ(one.final_train_loss_nats, other.final_train_loss_nats);
  EXPECT_EQ(one.test.at("built").loss_nats, other.test.at("imported").loss_nats);
  EXPECT_EQ(one.test.at("built").bits_per_byte, other.test.at("imported").bits_per_byte);
  EXPECT_GT(one.test.at("built").bits_per_byte, 0);
}

TEST_F(Import, WithoutTextBytesARunHasNoBitsPerByteAndSaysNone) {
  import("unknown", {"--vocab-size", "300"});
  const std::string said = train("unknown");
  EXPECT_NE(said.find("nats/token"), std::string::npos) << said;
  EXPECT_EQ(said.find("bits/byte"), std::string::npos) << said;
  EXPECT_TRUE(std::isnan(record("unknown").test.at("unknown").bits_per_byte));
  const auto json = nlohmann::json::parse(
      read_whole_file(RunFolder{*fs::directory_iterator(in("runs-unknown"))}.record()));
  EXPECT_TRUE(json["test"]["unknown"]["bits_per_byte"].is_null());
  EXPECT_TRUE(json["test"]["unknown"]["loss_nats"].is_number());
}

}  // namespace
}  // namespace scalelaw
