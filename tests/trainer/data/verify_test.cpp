#include "trainer/data/verify.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class VerifyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::ofstream lines(temp_.path() / "a.jsonl");
    for (int i = 0; i < 200; ++i) {
      lines << "{\"text\": \"document é " << i << " about nothing in particular\"}\n";
    }
    lines.close();
    options_.data_root = temp_.path() / "data";
    options_.name = "lines";
    options_.sources = {(temp_.path() / "a.jsonl").string()};
    options_.tokenizer = "bpe:290";
    options_.corpus.validation_share = 0.1;
    options_.corpus.test_share = 0.1;
    set_ = build_data_set(options_, [](const BuildProgress&) {}).set;
  }
  void expect_fault(const std::string& part) const {
    try {
      verify_data_set(open_data_set(options_.data_root, "lines"));
      FAIL() << "verified; expected: " << part;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  TempDir temp_;
  BuildOptions options_;
  DataSetInfo set_;
};

TEST_F(VerifyTest, TokensFlippedInAnySplitAreFound) {
  for (const Split split : kSplits) {
    const fs::path file = shard_file(set_, split);
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(4100);
    const int byte = stream.get();
    stream.seekp(4100);
    stream.put(static_cast<char>(byte ^ 4)).flush();
    expect_fault(file.filename().string() + ": tokens are damaged");
    stream.seekp(4100);
    stream.put(static_cast<char>(byte)).flush();
  }
  verify_data_set(set_);
}

TEST_F(VerifyTest, TokenizerOfAnotherSetIsFound) {
  options_.name = "other";
  options_.tokenizer = "unigram:290";
  const auto other = build_data_set(options_, [](const BuildProgress&) {}).set;
  fs::copy_file(tokenizer_file(other), tokenizer_file(set_), fs::copy_options::overwrite_existing);
  expect_fault("is not the tokenizer that the set's tokens were made by");
  std::ofstream(tokenizer_file(set_)) << "junk";
  expect_fault("is not the tokenizer that the set's tokens were made by");
  fs::remove(tokenizer_file(set_));
  expect_fault("tokenizer.model: is not there");
}

TEST_F(VerifyTest, SamplesAreTheDocumentsStarts) {
  const auto samples = sample_pieces(set_, 3, 10);
  ASSERT_EQ(samples.size(), 9u);
  for (const Sample& sample : samples) {
    EXPECT_EQ(sample.start.substr(0, 9), "document ");
    EXPECT_LE(sample.start.size(), 10u);
    EXPECT_GT(sample.tokens, 5);
  }
  const auto whole = sample_pieces(set_, 1, 1000);
  EXPECT_NE(whole[0].start.find(" about nothing in particular"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
