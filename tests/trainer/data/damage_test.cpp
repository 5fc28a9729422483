// A data set with a fault anywhere in what is read of it never opens.
#include <gtest/gtest.h>

#include <fstream>
#include <random>

#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/verify.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class DamageTest : public testing::Test {
 protected:
  void build(const std::string& tokenizer) {
    write_small_corpus(temp_.path() / "tales.jsonl", 30);
    BuildOptions options;
    options.data_root = root();
    options.name = "tales";
    options.sources = {(temp_.path() / "tales.jsonl").string()};
    options.tokenizer = tokenizer;
    options.corpus.validation_share = 0.2;
    options.corpus.test_share = 0.2;
    set_ = build_data_set(options, [](const BuildProgress&) {}).set;
  }
  fs::path root() const { return temp_.path() / "data"; }

  // One bit, one byte, some bytes, a cut or an addition; never the text itself.
  std::string damaged(const std::string& whole) {
    std::string text = whole;
    const std::size_t at = random_() % whole.size();
    switch (random_() % 5) {
      case 0:
        text[at] = static_cast<char>(text[at] ^ (1 << random_() % 8));
        break;
      case 1:
        text[at] = static_cast<char>(random_());
        break;
      case 2:
        for (std::size_t i = at; i < std::min(at + 16, text.size()); ++i) {
          text[i] = static_cast<char>(random_());
        }
        break;
      case 3:
        text.resize(at);
        break;
      default:
        text.insert(at, 1 + random_() % 3, static_cast<char>(random_()));
    }
    return text == whole ? damaged(whole) : text;
  }
  // As the trainer does before its first step.
  void open_all() const {
    const DataSetInfo set = open_data_set(root(), "tales");
    for (const auto& [split, info] : set.splits) TokenShard shard(shard_file(set, split));
  }
  void expect_every_fault_found(const fs::path& file, int trials, bool read_by_trainer) {
    const std::string whole = read_whole_file(file);
    for (int i = 0; i < trials; ++i) {
      std::ofstream(file, std::ios::binary) << damaged(whole);
      if (read_by_trainer) {
        EXPECT_THROW(open_all(), ConfigError) << file << " trial " << i;
      }
      EXPECT_THROW(verify_data_set(open_data_set(root(), "tales")), ConfigError)
          << file << " trial " << i;
    }
    std::ofstream(file, std::ios::binary) << whole;
    EXPECT_NO_THROW(open_all());
    EXPECT_NO_THROW(verify_data_set(open_data_set(root(), "tales")));
  }

  TempDir temp_;
  DataSetInfo set_;
  std::mt19937 random_{1};
};

TEST_F(DamageTest, AnyFaultInAShardIsFound) {
  build("bytes");
  expect_every_fault_found(shard_file(set_, Split::kTest), 5000, true);
}

TEST_F(DamageTest, AnyFaultInTheManifestIsFound) {
  build("bytes");
  expect_every_fault_found(set_.folder / kDataSetFile, 5000, true);
}

TEST_F(DamageTest, AnyFaultInTheTokenizerIsFoundByVerify) {
  build(SCALELAW_SOURCE_DIR "/tests/golden/data/bpe_300.model");
  expect_every_fault_found(tokenizer_file(set_), 500, false);
}

}  // namespace
}  // namespace scalelaw
