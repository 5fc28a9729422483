#include "trainer/data/mixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <random>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"
#include "trainer/data/builder.h"
#include "trainer/data/manifest.h"
#include "trainer/data/verify.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

TEST(Weights, AreReadUpToTheLastEqualsSign) {
  EXPECT_EQ(parse_weights({"a=b.txt", "c/"}, {"c/=1", "a=b.txt=2.5"}),
            (std::vector<double>{2.5, 1}));
  EXPECT_EQ(parse_weights({"a", "b"}, {"a=70%", "b=30%"}), (std::vector<double>{0.7, 0.3}));
  EXPECT_TRUE(parse_weights({"a", "a"}, {}).empty());
}

TEST(Weights, ThatCannotBeMeantAreRefusedByName) {
  const auto expect_fault = [](const std::vector<std::string>& sources,
                               const std::vector<std::string>& texts, const std::string& part) {
    try {
      parse_weights(sources, texts);
      FAIL() << "read; expected: " << part;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_fault({"books"}, {"books"}, "--weight books: is SOURCE=NUMBER");
  expect_fault({"books"}, {"books="}, "number above 0");
  expect_fault({"books"}, {"books=0"}, "number above 0");
  expect_fault({"books"}, {"books=-1"}, "number above 0");
  expect_fault({"books"}, {"boks=1"}, "did you mean books?");
  expect_fault({"books"}, {"books=1", "books=2"}, "has a weight already");
  expect_fault({"books", "wiki"}, {"books=1"}, "--weight wiki=NUMBER is missing");
  expect_fault({"books", "books"}, {"books=1"}, "names books twice");
}

TEST(WeightedTurns, KeepEverySourceNearItsShareAfterEveryPiece) {
  std::mt19937 random(1);
  for (const std::vector<double>& weights : std::vector<std::vector<double>>{
           {1}, {1, 1}, {3, 1}, {0.98, 0.02}, {5, 3, 1}, {1, 1000}, {7, 2, 2, 1, 1}}) {
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    WeightedTurns turns(weights);
    std::vector<double> taken(weights.size(), 0);
    double total = 0;
    for (int i = 0; i < 5000; ++i) {
      const int64_t tokens = 1 + static_cast<int64_t>(random() % 1000);
      const std::size_t who = turns.next();
      turns.take(who, tokens);
      taken[who] += static_cast<double>(tokens);
      total += static_cast<double>(tokens);
      for (std::size_t s = 0; s < weights.size(); ++s) {
        const double behind = weights[s] / sum * total - taken[s];
        ASSERT_GT(behind, -1000 - 1e-6);
        ASSERT_LE(behind, 1000.0 * static_cast<double>(weights.size() - 1) + 1e-6);
      }
    }
  }
}

// Three sources whose documents begin with their letter; c is the shortest.
class MixtureTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::map<char, int> documents = {{'a', 600}, {'b', 400}, {'c', 60}};
    std::mt19937 random(1);
    for (const auto& [letter, count] : documents) {
      std::ofstream lines(temp_.path() / (std::string(1, letter) + "=1.jsonl"));
      for (int i = 0; i < count; ++i) {
        lines << R"({"text": ")" << letter << " " << i << std::string(random() % 150, letter)
              << "\"}\n";
      }
      options_.sources.push_back((temp_.path() / (std::string(1, letter) + "=1.jsonl")).string());
    }
    options_.data_root = temp_.path() / "data";
    options_.name = "mix";
    options_.tokenizer = "bytes";
    options_.corpus.validation_share = 0;
    options_.corpus.test_share = 0;
    options_.weights = {0.5, 0.3, 0.2};
  }
  DataSetInfo build() const {
    return build_data_set(options_, [](const BuildProgress&) {}).set;
  }
  static std::vector<std::string> pieces(const DataSetInfo& set) {
    const TokenShard shard(shard_file(set, Split::kTrain));
    std::vector<int64_t> ids(static_cast<std::size_t>(shard.info().n_tokens));
    shard.copy(0, ids);
    std::vector<std::string> all(1);
    for (const int64_t id : ids) {
      if (id < 256) {
        all.back() += static_cast<char>(id);
      } else {
        all.emplace_back();
      }
    }
    all.pop_back();
    return all;
  }

  TempDir temp_;
  BuildOptions options_;
};

TEST_F(MixtureTest, EveryPrefixHoldsTheProportions) {
  options_.train_tokens = 60'000;
  const DataSetInfo set = build();
  verify_data_set(set);
  constexpr double kLongest = 157;  // 'a', a space, three digits, 149 letters, the end
  std::map<char, double> taken;
  double total = 0;
  for (const std::string& piece : pieces(set)) {
    taken[piece.front()] += static_cast<double>(piece.size() + 1);
    total += static_cast<double>(piece.size() + 1);
    for (const auto& [letter, share] : std::map<char, double>{{'a', .5}, {'b', .3}, {'c', .2}}) {
      ASSERT_GT(share * total - taken[letter], -kLongest) << letter << " at " << total;
      ASSERT_LE(share * total - taken[letter], 2 * kLongest) << letter << " at " << total;
    }
  }
  EXPECT_GE(total, 60'000);
  EXPECT_LT(total, 60'000 + kLongest);
}

TEST_F(MixtureTest, RepeatsWhatRunsOutAndSaysHowOften) {
  options_.train_tokens = 60'000;
  const DataSetInfo set = build();
  std::map<std::string, int> times;
  std::map<char, std::size_t> distinct, all;
  for (const std::string& piece : pieces(set)) {
    ++all[piece.front()];
    if (++times[piece] == 1) ++distinct[piece.front()];
  }
  EXPECT_EQ(distinct['c'], 60u);
  const nlohmann::json mixture = read_manifest(set)["mixture"];
  ASSERT_EQ(mixture.size(), 3u);
  EXPECT_EQ(mixture[2]["source"], options_.sources[2]);
  EXPECT_LT(mixture[0]["epochs"], 1.0);
  EXPECT_EQ(all['a'], distinct['a']);
  // Whole passes: no document comes a third time before all came twice.
  const auto [least, most] = std::minmax_element(
      times.begin(), times.end(), [](const auto& x, const auto& y) { return x.second < y.second; });
  EXPECT_EQ(least->second, 1);
  int fewest_of_c = most->second;
  for (const auto& [piece, count] : times) {
    if (piece.front() == 'c') fewest_of_c = std::min(fewest_of_c, count);
  }
  EXPECT_GE(fewest_of_c, most->second - 1);
  EXPECT_GE(mixture[2]["epochs"], static_cast<double>(fewest_of_c));
  EXPECT_LE(mixture[2]["epochs"], static_cast<double>(most->second));
}

TEST_F(MixtureTest, WithoutATotalEndsBeforeAnythingRepeats) {
  const DataSetInfo set = build();
  std::map<std::string, int> times;
  for (const std::string& piece : pieces(set)) EXPECT_EQ(++times[piece], 1) << piece;
  const nlohmann::json mixture = read_manifest(set)["mixture"];
  EXPECT_EQ(mixture[2]["epochs"], 1.0);
}

TEST_F(MixtureTest, ProgressOfWeightsFarApartIsNeverBelowNothing) {
  options_.weights = {0.5, 0.3, 1e-300};
  for (const int64_t tokens : {int64_t{0}, int64_t{60'000}}) {
    options_.train_tokens = tokens;
    options_.name = "mix" + std::to_string(tokens);
    build_data_set(options_, [](const BuildProgress& progress) {
      EXPECT_GE(progress.total_bytes, 0) << progress.stage;
    });
  }
}

TEST_F(MixtureTest, SmallerTotalsAreNestedInLargerOnes) {
  options_.train_tokens = 60'000;
  const auto large = pieces(build());
  options_.name = "small";
  options_.train_tokens = 7'000;
  options_.threads = 1;
  const auto small = pieces(build());
  ASSERT_LT(small.size(), large.size());
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
}

TEST_F(MixtureTest, OtherWeightsAreAnotherSetAndTheSameOnesAreThere) {
  build();
  EXPECT_TRUE(build_data_set(options_, [](const BuildProgress&) {}).was_there);
  options_.weights = {0.5, 0.2, 0.3};
  EXPECT_THROW(build(), ConfigError);
}

TEST_F(MixtureTest, SourceWithNothingLeftForTrainIsNamed) {
  const std::string copy = (temp_.path() / "z.jsonl").string();
  fs::copy_file(options_.sources[0], copy);
  options_.sources.push_back(copy);
  options_.weights.push_back(1);
  try {
    build();
    FAIL() << "a source whose text all stands in another";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("z.jsonl: has a weight and no text for train"),
              std::string::npos)
        << error.what();
  }
  EXPECT_FALSE(fs::exists(options_.data_root / "mix"));
}

TEST_F(MixtureTest, TokenizerIsTrainedOnTheMixture) {
  const auto share_of_c = [this](int64_t sample_bytes) {
    const CorpusSources sources{.train = find_sources(options_.sources, {}), .given = {}};
    CorpusOptions corpus_options = options_.corpus;
    corpus_options.sources_apart = true;
    const Corpus corpus = gather_corpus(sources, corpus_options, temp_.path(), [](int64_t) {});
    int64_t bytes = 0, of_c = 0;
    for (const Piece* piece :
         first_pieces(corpus, options_.sources, options_.weights, sample_bytes)) {
      bytes += piece->bytes;
      if (corpus.text(*piece).front() == 'c') of_c += piece->bytes;
    }
    EXPECT_GE(bytes, sample_bytes);
    return static_cast<double>(of_c) / static_cast<double>(bytes);
  };
  EXPECT_NEAR(share_of_c(5'000), 0.2, 2 * 157 / 5'000.0);
  EXPECT_NEAR(share_of_c(15'000), 0.2, 2 * 157 / 15'000.0);
}

}  // namespace
}  // namespace scalelaw
