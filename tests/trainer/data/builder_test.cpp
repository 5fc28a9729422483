#include "trainer/data/builder.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/compressed_file.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/default_corpus.h"
#include "trainer/data/manifest.h"
#include "trainer/data/verify.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// A folder of 200 small texts; 40 of them stand there twice.
class BuilderTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(temp_.path() / "texts");
    for (int i = 0; i < 240; ++i) {
      const std::string n = std::to_string(i % 200);
      std::ofstream(temp_.path() / "texts" / (std::to_string(i) + ".txt"))
          << "Text number " << n << " says:\n\tthe quick brown fox, " << n
          << " times,\n    jumps over the lazy dog\n";
    }
    options_.data_root = temp_.path() / "data";
    options_.name = "small";
    options_.sources = {(temp_.path() / "texts").string()};
    options_.tokenizer = "bpe:300";
    options_.corpus.validation_share = 0.1;
    options_.corpus.test_share = 0.1;
  }
  BuildResult build() const {
    return build_data_set(options_, [](const BuildProgress&) {});
  }
  void expect_fault(const std::string& part) const {
    try {
      build();
      FAIL() << "built; expected: " << part;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }

  TempDir temp_;
  BuildOptions options_;
};

TEST_F(BuilderTest, TokenizerSampleIsCutToTheMemoryGivenAndSaysSo) {
  options_.corpus.piece_bytes = 1000;
  options_.max_memory_bytes = 80'000'000 + 120 * 200 + 10 * (1000 + 4000);
  const DataSetInfo set = build().set;
  const nlohmann::json sample = read_manifest(set)["tokenizer_sample"];
  EXPECT_GE(sample["text_bytes"], 4000);
  EXPECT_LT(sample["text_bytes"], 4000 + 1000);
  EXPECT_EQ(sample["cut_to_fit"], true);
  EXPECT_EQ(sample["max_memory_bytes"], options_.max_memory_bytes);
  EXPECT_GT(sample["peak_memory_bytes"], 1'000'000);
  // Another machine's memory and cores change nothing.
  options_.name = "again";
  options_.threads = 1;
  EXPECT_EQ(build().set.tokenizer_hash, set.tokenizer_hash);
  options_.name = "more";
  options_.max_memory_bytes = 1'000'000'000;
  const nlohmann::json whole = read_manifest(build().set)["tokenizer_sample"];
  EXPECT_EQ(whole["cut_to_fit"], false);
  EXPECT_GT(whole["text_bytes"], 10'000);
}

TEST_F(BuilderTest, MemoryThatHoldsNoSampleIsRefusedWithWhatItTakes) {
  options_.max_memory_bytes = 50'000'000;
  expect_fault("--max-memory 50000000: no sample of text fits");
  EXPECT_FALSE(fs::exists(options_.data_root / "small"));
  options_.tokenizer = "bytes";
  expect_fault("--max-memory goes with a tokenizer to be trained");
}

TEST_F(BuilderTest, FolderOfTextsBecomesAWholeDataSet) {
  const BuildResult result = build();
  EXPECT_FALSE(result.was_there);
  const DataSetInfo set = open_data_set(options_.data_root, "small");
  verify_data_set(set);
  EXPECT_EQ(set.tokenizer, "bpe:300");
  EXPECT_EQ(set.n_vocab, 300);
  int64_t documents = 0;
  for (const auto& [split, info] : set.splits) documents += info.n_documents;
  EXPECT_EQ(documents, 200);
  const nlohmann::json json = read_manifest(set);
  EXPECT_EQ(json["counts"]["dropped"]["duplicate_documents"], 40);
  EXPECT_EQ(json["counts"]["files"], 240);
  EXPECT_EQ(json["options"]["seed"], 1);

  int64_t bytes = 0;
  const Tokenizer tokenizer = open_tokenizer(set);
  for (const auto& [split, info] : set.splits) {
    const TokenShard shard(shard_file(set, split));
    std::vector<int64_t> ids(static_cast<std::size_t>(info.n_tokens));
    shard.copy(0, ids);
    const std::vector<uint32_t> tokens(ids.begin(), ids.end());
    const std::string text = tokenizer.decode(tokens);
    EXPECT_EQ(static_cast<int64_t>(text.size()), info.text_bytes);
    bytes += info.text_bytes;
  }
  EXPECT_GT(bytes, 10000);
}

TEST_F(BuilderTest, SameBuildIsThereAlreadyAndAnotherIsRefused) {
  const auto first = build();
  const auto written = fs::last_write_time(first.set.folder / kDataSetFile);
  options_.threads = 5;
  EXPECT_TRUE(build().was_there);
  EXPECT_EQ(fs::last_write_time(first.set.folder / kDataSetFile), written);
  options_.corpus.seed = 2;
  expect_fault("--replace");
  options_.replace = true;
  const auto second = build();
  EXPECT_FALSE(second.was_there);
  EXPECT_NE(second.set.splits.at(Split::kTrain).token_hash,
            first.set.splits.at(Split::kTrain).token_hash);
  options_.replace = false;
  std::ofstream(temp_.path() / "texts/0.txt") << "changed\n";
  expect_fault("other sources");
}

TEST_F(BuilderTest, TokensDoNotDependOnThreadsOrPlace) {
  options_.threads = 1;
  const auto first = build();
  fs::rename(temp_.path() / "texts", temp_.path() / "moved");
  fs::create_directory(temp_.path() / "deep");
  fs::rename(temp_.path() / "moved", temp_.path() / "deep/texts");
  options_.sources = {(temp_.path() / "deep/texts/").string()};
  options_.threads = 6;
  EXPECT_TRUE(build().was_there);
  options_.name = "again";
  const auto second = build();
  for (const Split split : kSplits) {
    EXPECT_EQ(first.set.splits.at(split).token_hash, second.set.splits.at(split).token_hash);
  }
}

TEST_F(BuilderTest, FaultLeavesNothingBehind) {
  std::ofstream(temp_.path() / "texts/bad.txt") << "caf\xE9\n";
  expect_fault("bad.txt: line 1: byte 3 of the file is not UTF-8");
  EXPECT_FALSE(fs::exists(options_.data_root));
}

// It is the content that counts: a change may leave the length, and the time within one tick of the
// file system's clock.
TEST_F(BuilderTest, ASourceThatChangesBetweenHashingAndReadingEndsTheBuild) {
  const fs::path held = put_compressed(temp_.path() / "held.txt.gz", "held out\n");
  options_.given_sources[Split::kTest] = {held.string()};
  const std::vector<std::pair<fs::path, std::string_view>> changes = {
      {temp_.path() / "texts/0.txt", "hashing"},
      {held, "hashing"},
      {temp_.path() / "texts/99.txt", "reading"}};  // the last to be read
  for (const auto& [file, stage] : changes) {
    const std::string before = read_whole_file(file);
    bool done = false;
    const auto change = [&, &path = file, &when = stage](const BuildProgress& progress) {
      if (done || progress.stage != when) return;
      if (when == "hashing" && progress.done_bytes < progress.total_bytes) return;
      done = true;
      if (path == held) {
        put_compressed(path, "held off\n");
      } else {
        std::ofstream(path) << std::string(before.size(), 'x');
      }
    };
    try {
      build_data_set(options_, change);
      ADD_FAILURE() << file << " changed, and the set was built";
    } catch (const ConfigError& error) {
      EXPECT_EQ(std::string(error.what()),
                file.string() + ": changed while it was being read; run the command again");
    }
    EXPECT_TRUE(done);
    EXPECT_FALSE(fs::exists(options_.data_root));
    std::ofstream(file, std::ios::binary) << before;
  }
  EXPECT_FALSE(build().was_there) << "the same command again builds it";
}

TEST_F(BuilderTest, NamesThatAreNoNamesAreRefused) {
  for (const char* name : {"", "..", ".hidden", "a/b", "../x", "a b", "-x", "é"}) {
    options_.name = name;
    expect_fault("--name");
  }
}

TEST_F(BuilderTest, TokenizersThatAreNoneAreRefused) {
  for (const char* tokenizer : {"bpe:", "bpe:many", "bpe:100", "words", "unigram:1e9", "./none"}) {
    options_.tokenizer = tokenizer;
    expect_fault("--tokenizer");
  }
  options_.tokenizer = "set:nothing";
  expect_fault("\"nothing\" is not in");
}

TEST_F(BuilderTest, FolderThatIsNoDataSetIsNeverReplaced) {
  fs::create_directories(options_.data_root / "small");
  std::ofstream(options_.data_root / "small/mine.txt") << "keep";
  options_.replace = true;
  expect_fault("is there and no data set");
  EXPECT_TRUE(fs::exists(options_.data_root / "small/mine.txt"));
}

TEST_F(BuilderTest, UnwritableFolderIsRefusedBeforeWorking) {
  std::ofstream(temp_.path() / "file") << "x";
  options_.data_root = temp_.path() / "file/data";
  expect_fault("is not a folder");
}

TEST_F(BuilderTest, AnotherSetsTokenizerAndAModelFileGiveTheSameTokens) {
  const auto first = build();
  options_.name = "by-set";
  options_.tokenizer = "set:small";
  const auto by_set = build();
  options_.name = "by-file";
  options_.tokenizer = tokenizer_file(first.set).string();
  const auto by_file = build();
  EXPECT_EQ(by_set.set.tokenizer_hash, first.set.tokenizer_hash);
  EXPECT_EQ(by_set.set.splits.at(Split::kTest).token_hash,
            first.set.splits.at(Split::kTest).token_hash);
  EXPECT_EQ(by_file.set.splits.at(Split::kTest).token_hash,
            first.set.splits.at(Split::kTest).token_hash);
}

TEST_F(BuilderTest, PureTestSetHoldsATestSplitAlone) {
  options_.tokenizer = "bytes";
  options_.corpus.validation_share = 0;
  options_.corpus.test_share = 1;
  const auto result = build();
  EXPECT_EQ(result.set.splits.size(), 1u);
  EXPECT_EQ(result.set.splits.at(Split::kTest).n_documents, 200);
  verify_data_set(result.set);
}

TEST_F(BuilderTest, ValidationSplitOpensAsATestSetOfItsOwn) {
  const DataSetInfo whole = build().set;
  const DataSetInfo set = open_data_set(options_.data_root, "small/val");
  EXPECT_EQ(set.name, "small/val");
  ASSERT_EQ(set.splits.size(), 1u);
  EXPECT_EQ(TokenShard(shard_file(set, Split::kTest)).info().token_hash,
            whole.splits.at(Split::kValidation).token_hash);
  EXPECT_EQ(open_data_set(".", whole.folder.string() + "/val").name, "small/val");
  EXPECT_THROW(open_data_set(options_.data_root, "smal/val"), ConfigError);
  options_.corpus.validation_share = 0;
  options_.name = "without";
  build();
  EXPECT_THROW(open_data_set(options_.data_root, "without/val"), ConfigError);
}

TEST_F(BuilderTest, ManifestSaysWhatTheTokenizerWasTrainedOn) {
  options_.tokenizer_sample_bytes = 2000;
  const nlohmann::json sample = read_manifest(build().set)["tokenizer_sample"];
  EXPECT_GE(sample["text_bytes"], 2000);
  EXPECT_LT(sample["text_bytes"], 2100) << "texts of about 70 bytes";
  options_.name = "bytes";
  options_.tokenizer = "bytes";
  EXPECT_TRUE(read_manifest(build().set)["tokenizer_sample"].is_null());
}

TEST(DefaultCorpus, FolderThatIsNoTorchIsRefused) {
  const TempDir temp;
  EXPECT_THROW(find_torch(temp.path(), ""), ConfigError);
}

TEST(DefaultCorpus, LibTorchIsFoundWhereItWasAtTheBuildAndByEveryPathOfIt) {
  const TempDir temp;
  const fs::path venv = temp.path() / "a [venv]", unpacked = temp.path() / "unpacked/libtorch";
  const fs::path torch = venv / "lib/python3.11/site-packages/torch";
  fs::create_directories(torch / "include/c10");
  fs::create_directories(unpacked / "include/c10");
  fs::create_directories(venv / "bin");
  std::ofstream(venv / "bin/python");
  EXPECT_EQ(find_torch("", torch), torch);
  EXPECT_EQ(find_torch(unpacked, torch), unpacked);
  EXPECT_EQ(find_torch(unpacked.parent_path(), ""), unpacked);
  EXPECT_EQ(find_torch(venv, ""), torch);
  EXPECT_EQ(find_torch(venv / "bin/python", ""), torch);
  EXPECT_THROW(find_torch(venv / "bin", torch), ConfigError);
}

TEST(DefaultCorpus, WithoutPythonSourcesTheHeadersAreTheDefault) {
  const TempDir temp;
  fs::create_directories(temp.path() / "include/c10");
  const auto corpora = default_corpora(find_torch(temp.path(), ""), {});
  ASSERT_EQ(corpora.size(), 2u);
  EXPECT_EQ(corpora[0].name, "default");
  EXPECT_EQ(corpora[0].corpus.sources.text_suffixes, std::vector<std::string>{".h"});
  EXPECT_EQ(corpora[1].name, "headers");
  EXPECT_EQ(corpora[1].tokenizer, "set:default");
}

}  // namespace
}  // namespace scalelaw
