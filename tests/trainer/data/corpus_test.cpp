#include "trainer/data/corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/encode.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class CorpusTest : public testing::Test {
 protected:
  fs::path put(const std::string& name, const std::string& content) const {
    const fs::path path = temp_.path() / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  // `count` documents as lines of one file, from number `first`.
  fs::path put_lines(const std::string& name, int first, int count) const {
    std::string lines;
    for (int i = first; i < first + count; ++i) {
      lines += "{\"text\": \"this is document number " + std::to_string(i) + "\"}\n";
    }
    return put(name, lines);
  }
  Corpus gather(const std::vector<fs::path>& train, const std::vector<fs::path>& test = {}) const {
    const auto list = [this](const std::vector<fs::path>& paths) {
      std::vector<std::string> names;
      for (const fs::path& path : paths) names.push_back(path.string());
      return find_sources(names, options_.sources);
    };
    CorpusSources sources{.train = list(train), .given = {}};
    if (!test.empty()) sources.given[Split::kTest] = list(test);
    return gather_corpus(sources, options_, temp_.path(), [](int64_t) {});
  }
  static std::vector<std::string> texts(const Corpus& corpus, Split split) {
    std::vector<std::string> all;
    if (corpus.splits.contains(split)) {
      for (const Piece& piece : corpus.splits.at(split)) all.push_back(corpus.text(piece));
    }
    return all;
  }
  static std::vector<std::string> all_texts(const Corpus& corpus) {
    std::vector<std::string> all;
    for (const Split split : kSplits) {
      for (const std::string& text : texts(corpus, split)) all.push_back(text);
    }
    return all;
  }

  TempDir temp_;
  CorpusOptions options_;
};

TEST_F(CorpusTest, SplitsShareNoDocumentAndLoseNone) {
  options_.validation_share = 0.1;
  options_.test_share = 0.2;
  const Corpus corpus = gather({put_lines("a.jsonl", 0, 2000)});
  const auto all = all_texts(corpus);
  EXPECT_EQ(all.size(), 2000u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 2000u);
  // Binomial: within five standard deviations.
  EXPECT_NEAR(static_cast<double>(texts(corpus, Split::kTest).size()), 400, 5 * 18);
  EXPECT_NEAR(static_cast<double>(texts(corpus, Split::kValidation).size()), 200, 5 * 13.5);
}

TEST_F(CorpusTest, MoreDocumentsMoveNoneToAnotherSplit) {
  options_.test_share = 0.2;
  const auto small = texts(gather({put_lines("a.jsonl", 0, 500)}), Split::kTest);
  const auto large = texts(gather({put_lines("b.jsonl", 0, 1500)}), Split::kTest);
  const std::set<std::string> in_large(large.begin(), large.end());
  for (const std::string& text : small) EXPECT_TRUE(in_large.contains(text));
}

TEST_F(CorpusTest, OrderDependsOnContentAndSeedAlone) {
  const auto first = put_lines("a.jsonl", 0, 300);
  const auto second = put_lines("b.jsonl", 300, 300);
  const auto all = put_lines("z/all.jsonl", 0, 600);
  const auto order = texts(gather({first, second}), Split::kTrain);
  EXPECT_EQ(texts(gather({second, first}), Split::kTrain), order);
  EXPECT_EQ(texts(gather({all}), Split::kTrain), order);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_NE(order, sorted);
  options_.seed = 2;
  const auto other = texts(gather({all}), Split::kTrain);
  EXPECT_NE(other, order);
  EXPECT_TRUE(std::is_permutation(other.begin(), other.end(), order.begin(), order.end()));
}

TEST_F(CorpusTest, DuplicateAndEmptyDocumentsAreDroppedAndCounted) {
  options_.validation_share = 0;
  options_.test_share = 0;
  const Corpus corpus =
      gather({put("t/a.txt", "same\n"), put("t/b.txt", "same\n"), put("t/c.txt", "  \n\t\n"),
              put("t/d.txt", ""), put("t/e.txt", "other\n")});
  EXPECT_EQ(corpus.counts.documents, 5);
  EXPECT_EQ(corpus.counts.duplicate_documents, 1);
  EXPECT_EQ(corpus.counts.empty_documents, 2);
  EXPECT_EQ(texts(corpus, Split::kTrain).size(), 2u);
}

TEST_F(CorpusTest, DocumentOfAGivenTestSourceIsDroppedFromTrain) {
  options_.validation_share = 0.1;
  const Corpus corpus = gather({put_lines("a.jsonl", 0, 400)}, {put_lines("test.jsonl", 100, 50)});
  EXPECT_EQ(corpus.counts.held_out_documents, 50);
  EXPECT_EQ(texts(corpus, Split::kTest).size(), 50u);
  const auto all = all_texts(corpus);
  EXPECT_EQ(all.size(), 400u);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 400u);
}

TEST_F(CorpusTest, LongDocumentIsCutAndStaysInOneSplit) {
  options_.piece_bytes = 200;
  options_.validation_share = 0.2;
  options_.test_share = 0.2;
  std::vector<fs::path> files;
  for (int f = 0; f < 60; ++f) {
    std::string text;
    for (int i = 0; i < 40; ++i) {
      text += "file " + std::to_string(f) + " line " + std::to_string(i) + "\n";
    }
    files.push_back(put("t/" + std::to_string(f) + ".txt", text));
  }
  const Corpus corpus = gather(files);
  EXPECT_EQ(corpus.counts.documents_cut, 60);
  std::map<std::string, std::set<Split>> splits_of_file;
  for (const Split split : kSplits) {
    for (const std::string& text : texts(corpus, split)) {
      EXPECT_LE(text.size(), 200u);
      splits_of_file[text.substr(0, text.find(" line"))].insert(split);
    }
  }
  EXPECT_EQ(splits_of_file.size(), 60u);
  for (const auto& [file, splits] : splits_of_file) EXPECT_EQ(splits.size(), 1u) << file;
}

TEST_F(CorpusTest, FolderStaysInOneSplit) {
  options_.split_by = SplitBy::kFolder;
  options_.validation_share = 0.3;
  options_.test_share = 0.3;
  for (int folder = 0; folder < 30; ++folder) {
    for (int f = 0; f < 4; ++f) {
      put("t/" + std::to_string(folder) + "/" + std::to_string(f) + ".txt",
          "folder " + std::to_string(folder) + " file " + std::to_string(f));
    }
  }
  const Corpus corpus = gather({temp_.path() / "t"});
  std::map<std::string, std::set<Split>> splits_of_folder;
  for (const Split split : kSplits) {
    for (const std::string& text : texts(corpus, split)) {
      splits_of_folder[text.substr(0, text.find(" file"))].insert(split);
    }
  }
  EXPECT_EQ(splits_of_folder.size(), 30u);
  for (const auto& [folder, splits] : splits_of_folder) EXPECT_EQ(splits.size(), 1u) << folder;
}

TEST_F(CorpusTest, CapKeepsTheStartOfEachFileAndCountsTheRest) {
  options_.validation_share = 0;
  options_.test_share = 0;
  options_.cap_per_file = 25;
  const Corpus corpus = gather({put("a.txt", "ten bytes\nten bytez\nten bytey\n")});
  EXPECT_EQ(texts(corpus, Split::kTrain), std::vector<std::string>{"ten bytes\nten bytez\n"});
  EXPECT_EQ(corpus.counts.bytes_over_cap, 10);
}

TEST_F(CorpusTest, SplitThatComesOutEmptyIsExplained) {
  try {
    gather({put("a.txt", "one document\n")});
    FAIL() << "three splits of one document";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("--split-by piece"), std::string::npos);
  }
  try {
    const fs::path all = put_lines("a.jsonl", 0, 3);
    gather({all}, {all});
    FAIL() << "every document is held out";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("3 documents of the sources stand in those of --val"),
              std::string::npos)
        << error.what();
  }
  try {
    gather({put("empty.txt", "\n \n")});
    FAIL() << "a corpus of white space";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("empty.txt: holds no text"), std::string::npos);
  }
}

TEST_F(CorpusTest, TestLinesThatStandInTrainAreCounted) {
  options_.validation_share = 0;
  const auto train = put("a.txt",
                         "a line that is long enough to count\nshort\nyet another long line "
                         "of the training text\n");
  const auto test = put("b.txt",
                        "    a line that is long enough to count\nshort\nthis long line is "
                        "in the test text only\n");
  const LineOverlap overlap = test_lines_in_train(gather({train}, {test}), [](int64_t, int64_t) {});
  EXPECT_EQ(overlap.lines, 2);
  EXPECT_EQ(overlap.in_train, 1);
}

// One reason each: what is counted adds up, and no text is lost that another file still gives.
TEST_F(CorpusTest, EveryDocumentIsKeptOrDroppedForOneReason) {
  options_.validation_share = 0;
  options_.test_share = 0;
  options_.cap_per_file = 60;
  const auto line = [](const std::string& text) { return "{\"text\": \"" + text + "\"}\n"; };
  const std::string first(50, 'a'), second(40, 'b'), third(30, 'c');
  // a.jsonl: `first` fits, `second` in part (10 bytes), `third` not at all; b.jsonl gives `third`.
  const Corpus corpus =
      gather({put("a.jsonl", line(first) + line(second) + line(third) + line(" ")),
              put("b.jsonl", line(third) + line(first))});
  const CorpusCounts& counts = corpus.counts;
  EXPECT_EQ(counts.documents, 6);
  EXPECT_EQ(counts.kept_documents, 3);
  EXPECT_EQ(counts.over_cap_documents, 1);
  EXPECT_EQ(counts.duplicate_documents, 1);
  EXPECT_EQ(counts.empty_documents, 1);
  EXPECT_EQ(counts.duplicate_pieces, 0);
  EXPECT_EQ(counts.bytes_over_cap, 60);
  auto kept = texts(corpus, Split::kTrain);
  std::sort(kept.begin(), kept.end());
  EXPECT_EQ(kept, (std::vector<std::string>{first, std::string(10, 'b'), third}));
}

TEST_F(CorpusTest, DocumentOfRepeatedPiecesAloneIsADuplicate) {
  options_.validation_share = 0;
  options_.test_share = 0;
  options_.piece_bytes = 16;
  const Corpus corpus = gather({put("t/a.txt", "first of lines\nother of lines\n"),
                                put("t/b.txt", "other of lines\nfirst of lines\n"),
                                put("t/c.txt", "other of lines\nthird of lines\n")});
  EXPECT_EQ(corpus.counts.kept_documents, 2);
  EXPECT_EQ(corpus.counts.duplicate_documents, 1);
  EXPECT_EQ(corpus.counts.duplicate_pieces, 1);
  EXPECT_EQ(corpus.counts.documents_cut, 2);
}

TEST_F(CorpusTest, EncodingDoesNotDependOnTheNumberOfThreads) {
  const Corpus corpus = gather({put_lines("a.jsonl", 0, 3000)});
  const Tokenizer tokenizer = Tokenizer::bytes();
  const auto encode = [&](int threads, EncodedCounts& counts) {
    std::vector<uint32_t> all;
    counts = encode_split(
        corpus, Split::kTrain, tokenizer, threads,
        [&all](std::span<const uint32_t> part) { all.insert(all.end(), part.begin(), part.end()); },
        [](int64_t) {});
    return all;
  };
  EncodedCounts alone, shared;
  const auto tokens = encode(1, alone);
  EXPECT_EQ(encode(7, shared), tokens);
  EXPECT_EQ(shared.text_bytes, alone.text_bytes);
  EXPECT_EQ(alone.documents, static_cast<int64_t>(corpus.splits.at(Split::kTrain).size()));
  EXPECT_EQ(static_cast<int64_t>(tokens.size()), alone.text_bytes + alone.documents);
}

}  // namespace
}  // namespace scalelaw
