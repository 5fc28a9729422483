#include "trainer/data/import_set.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "tests/support/foreign_files.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/manifest.h"
#include "trainer/data/verify.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

using Ids = std::vector<uint32_t>;
constexpr uint32_t kMark = 99;

class ImportSetTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.data_root = temp_.path() / "data";
    options_.name = "ids";
    options_.n_vocab = 100;
  }
  std::string put(const std::string& name, const Ids& ids) const {
    return put_bytes(temp_.path() / name, packed<uint16_t>(ids)).string();
  }
  BuildResult import() const {
    return import_tokens(options_, [](const BuildProgress&) {});
  }
  void expect_fault(const std::string& part) const {
    try {
      import();
      FAIL() << "imported; expected: " << part;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
    EXPECT_FALSE(fs::exists(options_.data_root));
  }
  static Ids ids_of(const DataSetInfo& set, Split split) {
    const TokenShard shard(shard_file(set, split));
    std::vector<int64_t> ids(static_cast<std::size_t>(shard.info().n_tokens));
    shard.copy(0, ids);
    return {ids.begin(), ids.end()};
  }
  // Of 1 to 9 ids, no two equal, each with a mark behind it or before it.
  static std::vector<Ids> documents(int count, bool begins, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::set<Ids> seen;
    std::vector<Ids> all;
    while (static_cast<int>(all.size()) < count) {
      Ids ids;
      for (std::size_t i = 0; i < 1 + random() % 9; ++i) ids.push_back(random() % 90);
      if (!seen.insert(ids).second) continue;
      ids.insert(begins ? ids.begin() : ids.end(), kMark);
      all.push_back(ids);
    }
    return all;
  }
  static Ids joined(const std::vector<Ids>& documents) {
    Ids ids;
    for (const Ids& document : documents) ids.insert(ids.end(), document.begin(), document.end());
    return ids;
  }
  // The documents again, from ids that are whole documents.
  static std::vector<Ids> parted(const Ids& ids, bool begins) {
    std::vector<Ids> documents;
    Ids document;
    for (const uint32_t id : ids) {
      if (begins && id == kMark && !document.empty()) {
        documents.push_back(document);
        document.clear();
      }
      document.push_back(id);
      if (!begins && id == kMark) {
        documents.push_back(document);
        document.clear();
      }
    }
    if (!document.empty()) documents.push_back(document);
    return documents;
  }

  TempDir temp_;
  ImportOptions options_;
};

TEST_F(ImportSetTest, WithoutDocumentsSharesAreBlocksFromTheEnd) {
  Ids ids(1000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint32_t>(i % 97);
  options_.sources = {put("a.bin", {ids.begin(), ids.begin() + 300}),
                      put("b.bin", {ids.begin() + 300, ids.end()})};
  options_.shares = {.validation = 0.1, .test = 0.2};
  const DataSetInfo set = import().set;
  verify_data_set(set);
  EXPECT_EQ(ids_of(set, Split::kTrain), Ids(ids.begin(), ids.begin() + 700));
  EXPECT_EQ(ids_of(set, Split::kValidation), Ids(ids.begin() + 700, ids.begin() + 800));
  EXPECT_EQ(ids_of(set, Split::kTest), Ids(ids.begin() + 800, ids.end()));
  for (const auto& [split, info] : set.splits) {
    EXPECT_EQ(info.n_documents, 0) << "not known";
    EXPECT_EQ(info.text_bytes, 0) << "not known";
  }
  const auto manifest = read_manifest(set);
  EXPECT_EQ(manifest["imported"]["shares_by"], "blocks");
  EXPECT_TRUE(manifest["splits"]["test"]["text_bytes"].is_null());
  EXPECT_TRUE(manifest["splits"]["test"]["documents"].is_null());
  EXPECT_TRUE(manifest["counts"]["documents"].is_null());
}

// A document of which a part stands in one file and the rest in the next, too: llm.c writes so.
TEST_F(ImportSetTest, DocumentsStayWholeInOneSplitAndInOrderWhicheverSideTheMarkIs) {
  for (const bool begins : {false, true}) {
    const std::vector<Ids> all = documents(400, begins);
    const Ids ids = joined(all);
    options_.name = begins ? "begins" : "ends";
    options_.sources = {put("a.bin", {ids.begin(), ids.begin() + 501}),
                        put("b.bin", {ids.begin() + 501, ids.end()})};
    options_.mark = {.id = kMark, .begins = begins};
    options_.shares = {.validation = 0.2, .test = 0.2};
    const DataSetInfo set = import().set;
    std::size_t found = 0, longest = 0;
    for (const auto& [split, info] : set.splits) {
      const std::vector<Ids> here = parted(ids_of(set, split), begins);
      EXPECT_EQ(static_cast<int64_t>(here.size()), info.n_documents);
      EXPECT_GT(here.size(), 40u);
      auto at = all.begin();
      for (const Ids& document : here) {
        at = std::find(at, all.end(), document);
        ASSERT_NE(at, all.end()) << "a document is torn, or out of order";
        longest = std::max(longest, document.size());
        ++found;
      }
    }
    EXPECT_EQ(found, all.size());
    const auto manifest = read_manifest(set);
    EXPECT_EQ(manifest["imported"]["longest_document_tokens"], longest);
    EXPECT_EQ(manifest["counts"]["documents"], all.size());
    EXPECT_EQ(manifest["counts"]["tokens"], ids.size());
  }
}

TEST_F(ImportSetTest, ADocumentsSplitDependsOnItAlone) {
  const std::vector<Ids> few = documents(200, false), more = documents(200, false, 2);
  options_.mark = {.id = kMark};
  options_.shares = {.validation = 0.2, .test = 0.2};
  options_.sources = {put("few.bin", joined(few))};
  const DataSetInfo small = import().set;
  options_.name = "larger";
  options_.sources = {put("more.bin", joined(more)), put("few.bin", joined(few))};
  const DataSetInfo large = import().set;
  for (const auto& [split, info] : small.splits) {
    const std::vector<Ids> there = parted(ids_of(large, split), false);
    for (const Ids& document : parted(ids_of(small, split), false)) {
      EXPECT_NE(std::find(there.begin(), there.end(), document), there.end());
    }
  }
}

TEST_F(ImportSetTest, MegatronsDocumentsAreSharedOutWithoutAMark) {
  const std::vector<Ids> all = documents(300, false);
  MegatronIndex index{.lengths = {}, .documents = {0}};
  for (const Ids& document : all) {
    index.lengths.push_back(static_cast<int64_t>(document.size()));
    index.documents.push_back(static_cast<int64_t>(index.lengths.size()));
  }
  put("m.bin", joined(all));
  put_bytes(temp_.path() / "m.idx", index.bytes());
  options_.sources = {
      (temp_.path() / "m*").string()};  // the pattern matches both files of the pair
  const DataSetInfo of_index = import().set;
  options_.name = "marked";
  options_.sources = {put("raw.bin", joined(all))};
  options_.mark = {.id = kMark};
  const DataSetInfo marked = import().set;
  for (const Split split : kSplits) {
    EXPECT_EQ(of_index.splits.at(split).token_hash, marked.splits.at(split).token_hash);
    EXPECT_EQ(of_index.splits.at(split).n_documents, marked.splits.at(split).n_documents);
  }
}

TEST_F(ImportSetTest, TrainLosesTheDocumentsThatStandInAGivenSplitAndSaysSo) {
  const std::vector<Ids> all = documents(100, false);
  const std::vector<Ids> held(all.begin() + 10, all.begin() + 15);
  options_.sources = {put("train.bin", joined(all))};
  options_.given_sources[Split::kTest] = {put("test.bin", joined(held))};
  options_.shares = {.validation = 0};
  options_.mark = {.id = kMark};
  const DataSetInfo set = import().set;
  EXPECT_EQ(parted(ids_of(set, Split::kTest), false), held);
  const auto train = parted(ids_of(set, Split::kTrain), false);
  EXPECT_EQ(train.size(), 95u);
  for (const Ids& document : held) {
    EXPECT_EQ(std::find(train.begin(), train.end(), document), train.end());
  }
  EXPECT_TRUE(read_manifest(set)["imported"]["shares_by"].is_null()) << "no share was cut off";
  const auto dropped = read_manifest(set)["counts"]["dropped"];
  EXPECT_EQ(dropped["held_out_documents"], 5);
  EXPECT_EQ(dropped["held_out_tokens"], joined(held).size());
}

TEST_F(ImportSetTest, TheSameIdsAreTheSameSetWhateverTheFilesAreCalled) {
  const Ids ids = joined(documents(100, false));
  options_.sources = {put("a.bin", ids)};
  EXPECT_FALSE(import().was_there);
  options_.sources = {put("b.bin", ids)};
  EXPECT_TRUE(import().was_there);
  options_.sources = {put("b.bin", joined(documents(99, false)))};
  EXPECT_THROW(import(), ConfigError);
  options_.replace = true;
  EXPECT_FALSE(import().was_there);
}

TEST_F(ImportSetTest, TokenizersKnownByNameAreTheSameWhereNameAndSizeAre) {
  options_.sources = {put("a.bin", joined(documents(100, false)))};
  const auto hash = [&](const std::string& set, const std::string& tokenizer, int64_t n_vocab) {
    options_.name = set;
    options_.tokenizer = tokenizer;
    options_.n_vocab = n_vocab;
    return import().set.tokenizer_hash;
  };
  const std::string gpt2 = hash("one", "name:gpt2", 100);
  EXPECT_EQ(hash("two", "name:gpt2", 100), gpt2);
  EXPECT_NE(hash("three", "name:gpt2", 101), gpt2);
  EXPECT_NE(hash("four", "name:llama", 100), gpt2);
  EXPECT_NE(hash("five", "", 100), hash("six", "", 100)) << "nothing says that they are the same";
  options_.n_vocab = {};
  options_.tokenizer = "set:one";
  options_.name = "seven";
  EXPECT_EQ(import().set.tokenizer_hash, gpt2);
  EXPECT_THROW(open_tokenizer(import().set), ConfigError);
}

TEST_F(ImportSetTest, TextBytesAreGivenOrCountedWithTheTokenizerOrNotKnown) {
  const std::string text = "naïve text, twice. naïve text, twice.";
  Ids ids(text.size());
  std::transform(text.begin(), text.end(), ids.begin(),
                 [](char c) { return static_cast<unsigned char>(c); });
  ids.push_back(256);
  options_.sources = {put("a.bin", ids)};
  options_.shares = {.validation = 0, .test = 0};
  options_.n_vocab = {};
  options_.tokenizer = "bytes";
  EXPECT_EQ(import().set.splits.at(Split::kTrain).text_bytes, static_cast<int64_t>(text.size()));
  const auto samples = sample_pieces(open_data_set(options_.data_root, "ids"), 1, 12);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].start, "naïve text,");

  options_.name = "given";
  options_.tokenizer = "name:bytes";
  options_.n_vocab = 257;
  options_.text_bytes = {{Split::kTrain, 1234}};
  const DataSetInfo given = import().set;
  EXPECT_EQ(given.splits.at(Split::kTrain).text_bytes, 1234);
  EXPECT_EQ(sample_pieces(given, 1, 12)[0].start, "110 97 195 1") << "ids, as far as they fit";
}

TEST_F(ImportSetTest, WhatCannotBeIsRefusedAndNothingIsLeftBehind) {
  const Ids ids = joined(documents(100, false));
  options_.sources = {put("a.bin", ids)};
  const ImportOptions good = options_;
  const auto refuse = [&](const std::string& part, auto change) {
    options_ = good;
    change(options_);
    expect_fault(part);
  };
  refuse("place", [](auto& o) { o.n_vocab = 99; });
  refuse("--vocab-size is missing", [](auto& o) { o.n_vocab = {}; });
  refuse("what is it called", [](auto& o) { o.tokenizer = "name:"; });
  refuse("nor a file", [](auto& o) { o.tokenizer = "bpe:512"; });
  refuse("has 257 ids", [](auto& o) { o.tokenizer = "bytes"; });
  refuse("no such id", [](auto& o) { o.mark = {.id = 98}; });
  refuse("--bod 100: the vocabulary", [](auto& o) { o.mark = {.id = 100, .begins = true}; });
  refuse("val split came out empty", [](auto& o) { o.shares = {.validation = 1e-9}; });
  refuse("no such split", [](auto& o) {
    o.shares = {.validation = 0, .test = 0};
    o.text_bytes = {{Split::kTest, 5}};
  });
  refuse("counted with --tokenizer", [](auto& o) {
    o.n_vocab = {};
    o.tokenizer = "bytes";
    o.text_bytes = {{Split::kTrain, 5}};
  });
  refuse("cannot be opened", [](auto& o) { o.sources = {"/nowhere/*.bin"}; });
  refuse("--name", [](auto& o) { o.name = "../x"; });
}

TEST_F(ImportSetTest, IdsThatChangeBetweenCheckingAndWritingEndTheImport) {
  options_.sources = {put("a.bin", joined(documents(100, false)))};
  options_.given_sources[Split::kTest] = {put("test.bin", {1, 2, 3})};
  const auto change = [&](const BuildProgress& progress) {
    if (progress.stage == "writing") put("test.bin", {1, 2, 4});  // it comes after train's
  };
  try {
    import_tokens(options_, change);
    ADD_FAILURE() << "imported";
  } catch (const ConfigError& error) {
    EXPECT_EQ(std::string(error.what()),
              (temp_.path() / "test.bin").string() +
                  ": changed while it was being read; run the command again");
  }
  EXPECT_FALSE(fs::exists(options_.data_root));
}

TEST_F(ImportSetTest, ATokenizersNameThatIsNotItsHashIsDamage) {
  options_.sources = {put("a.bin", joined(documents(100, false)))};
  options_.tokenizer = "name:gpt2";
  const DataSetInfo set = import().set;
  std::string text = read_whole_file(set.folder / kDataSetFile);
  text.replace(text.find("name:gpt2"), 9, "name:gpt3");
  put_bytes(set.folder / kDataSetFile, with_data_set_file_hash(text));
  EXPECT_THROW(open_data_set(options_.data_root, "ids"), ConfigError);
}

}  // namespace
}  // namespace scalelaw
