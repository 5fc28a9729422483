#include "trainer/data/inspection.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "tests/support/temp_dir.h"
#include "trainer/data/builder.h"
#include "trainer/data/token_shard_writer.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// The words w`first` to w`first + count - 1`.
std::string words(int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += "w" + std::to_string(i) + " ";
  return text;
}

class InspectionTest : public testing::Test {
 protected:
  // A line is a document.
  std::string put(const std::string& name, const std::vector<std::string>& documents) const {
    std::ofstream lines(temp_.path() / name);
    for (const std::string& document : documents) lines << R"({"text": ")" << document << "\"}\n";
    return (temp_.path() / name).string();
  }
  DataSetInfo build(const std::vector<std::string>& train, const std::vector<std::string>& test) {
    options_.data_root = temp_.path() / "data";
    options_.name = "set";
    options_.tokenizer = "bytes";
    options_.sources = {put("train.jsonl", train)};
    options_.corpus.validation_share = 0;
    options_.corpus.test_share = 0;
    if (!test.empty()) options_.given_sources[Split::kTest] = {put("test.jsonl", test)};
    return build_data_set(options_, [](const BuildProgress&) {}).set;
  }
  static Inspection inspect(const DataSetInfo& set, const InspectOptions& options = {}) {
    const Tokenizer tokenizer = open_tokenizer(set);
    return inspect_data_set(set, &tokenizer, options, [](int64_t, int64_t) {});
  }

  TempDir temp_;
  BuildOptions options_;
};

TEST_F(InspectionTest, RunsOfThirteenWordsThatStandInTrainAreCounted) {
  // Of the test text's 30 words, 13 to 27 stand in train: 3 runs of 18. The other has 12 in common.
  const DataSetInfo set =
      build({words(0, 40) + "end", words(500, 12)},
            {words(100, 13) + words(10, 15) + words(200, 2), words(500, 12) + words(300, 5)});
  const SplitOverlap overlap = inspect(set).overlap.at(Split::kTest);
  EXPECT_EQ(overlap.sampled_one_in, 1);
  EXPECT_EQ(overlap.runs, 18 + 5);
  EXPECT_EQ(overlap.runs_in_train, 3);
  EXPECT_EQ(overlap.pieces, 2);
  EXPECT_EQ(overlap.touched_pieces, 1);
  EXPECT_EQ(overlap.pieces_in_train, 0);
  EXPECT_EQ(overlap.example, "w10 w11 w12 w13 w14 w15 w16 w17 w18 w19 w20 w21 w22");
}

TEST_F(InspectionTest, CaseAndPunctuationHideNothingAndPiecesAreApart) {
  std::string shouted = "\\\"" + words(0, 13) + "!\\\"";
  for (char& c : shouted) c = c == 'w' ? 'W' : c == ' ' ? '\x01' : c;
  for (std::size_t at = 0; (at = shouted.find('\x01')) != std::string::npos;) {
    shouted.replace(at, 1, " , ");
  }
  const DataSetInfo set =
      build({words(0, 13), words(50, 7), words(57, 7)}, {shouted, words(50, 14)});
  const SplitOverlap overlap = inspect(set).overlap.at(Split::kTest);
  EXPECT_EQ(overlap.runs, 1 + 2);
  EXPECT_EQ(overlap.runs_in_train, 1);
}

TEST_F(InspectionTest, SampledRunsHaveTheShareOfAll) {
  std::vector<std::string> train, test;
  for (int i = 0; i < 200; ++i) {
    train.push_back(words(1000 * i, 100));
    test.push_back(words(1000 * i + (i % 4 == 0 ? 0 : 500), 99));
  }
  const DataSetInfo set = build(train, test);
  const SplitOverlap all = inspect(set).overlap.at(Split::kTest);
  EXPECT_EQ(all.runs, 200 * 87);
  EXPECT_EQ(all.runs_in_train, 50 * 87);
  const InspectOptions few{.max_runs = set.splits.at(Split::kTest).n_tokens / 7 + 1};
  const SplitOverlap some = inspect(set, few).overlap.at(Split::kTest);
  EXPECT_EQ(some.sampled_one_in, 7);
  // Binomial: within five standard deviations.
  const double runs = 200 * 87 / 7.0;
  EXPECT_NEAR(static_cast<double>(some.runs), runs, 5 * std::sqrt(runs));
  EXPECT_NEAR(static_cast<double>(some.runs_in_train) / static_cast<double>(some.runs), 0.25,
              5 * std::sqrt(0.25 * 0.75 / runs));
}

TEST_F(InspectionTest, FertilityAndUsedIdsAreCounted) {
  const DataSetInfo set = build({"ab abc, d", "  x\\ty - "}, {});
  const Inspection inspection = inspect(set);
  const SplitContent content = inspection.content.at(Split::kTrain);
  EXPECT_EQ(content.pieces, 2);
  EXPECT_EQ(content.words, 3 + 3);
  EXPECT_EQ(content.tokens, 9 + 8);
  EXPECT_EQ(content.text_bytes, 9 + 8);
  EXPECT_EQ(content.used_ids, 10);  // a b c d x y , - space tab
  EXPECT_EQ(content.repeated_pieces, 0);
  EXPECT_TRUE(inspection.overlap.empty());
}

TEST_F(InspectionTest, RepeatsAndPiecesInBothSplitsAreFound) {
  build({"one", "two", "three"}, {"four"});
  const auto ids = [](const std::string& text) {
    std::vector<uint32_t> tokens;
    for (const char c : text) {
      tokens.push_back(c == '|' ? 256 : static_cast<uint32_t>(c));
    }
    return tokens;
  };
  DataSetInfo set = open_data_set(options_.data_root, "set");
  // As an import may hold them; `data build` drops them.
  for (const auto& [split, text] : std::map<Split, std::string>{{Split::kTrain, "one|two|one|one|"},
                                                                {Split::kTest, "two|four|"}}) {
    write_token_shard(shard_file(set, split), ids(text), set.splits.at(split));
    set.splits[split] = TokenShard::read_info(shard_file(set, split));
  }
  const Inspection inspection = inspect(set);
  EXPECT_EQ(inspection.content.at(Split::kTrain).repeated_pieces, 2);
  EXPECT_EQ(inspection.content.at(Split::kTest).repeated_pieces, 0);
  EXPECT_EQ(inspection.overlap.at(Split::kTest).pieces_in_train, 1);
}

TEST_F(InspectionTest, WithoutATokenizerRunsAreOfIds) {
  const DataSetInfo set = build({"abcdefghijklmnop"}, {"0bcdefghijklmno1"});
  const Inspection inspection = inspect_data_set(set, nullptr, {}, [](int64_t, int64_t) {});
  EXPECT_FALSE(inspection.of_words);
  EXPECT_FALSE(inspection.knows_pieces);
  const SplitOverlap overlap = inspection.overlap.at(Split::kTest);
  EXPECT_EQ(overlap.runs, 17 - 12);  // the end of the document is an id like any other
  EXPECT_EQ(overlap.runs_in_train, 2);
  EXPECT_EQ(inspection.content.at(Split::kTest).words, 0);
}

}  // namespace
}  // namespace scalelaw
