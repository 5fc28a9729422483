// The tokens of a fixed text must stay: a data set's hash is part of every run's identity.
#include <gtest/gtest.h>

#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "trainer/data/builder.h"

namespace scalelaw {
namespace {

// Texts of about 1 kB cut at 400 bytes, the shuffle of seed 7, and a model file, so that no release
// of SentencePiece's trainer enters.
DataSetInfo build(const TempDir& temp, const std::string& tokenizer) {
  const auto file = temp.path() / "tales.jsonl";
  write_small_corpus(file, 300);
  BuildOptions options;
  options.data_root = temp.path() / "data";
  options.name = "tales";
  options.sources = {file.string()};
  options.tokenizer = tokenizer;
  options.corpus.validation_share = 0.1;
  options.corpus.test_share = 0.1;
  options.corpus.piece_bytes = 400;
  options.corpus.seed = 7;
  return build_data_set(options, [](const BuildProgress&) {}).set;
}

TEST(GoldenData, BytesOfAFixedTextStay) {
  const TempDir temp;
  const DataSetInfo set = build(temp, "bytes");
  EXPECT_EQ(set.splits.at(Split::kTrain).token_hash, "45fc6d8409cdfd0e5840cddf465c7a8b");
  EXPECT_EQ(set.splits.at(Split::kValidation).token_hash, "93fed06e55c0a146c0e343286666abd5");
  EXPECT_EQ(set.splits.at(Split::kTest).token_hash, "dcdfede8fb568620757a38e02bac1e5a");
}

TEST(GoldenData, TokensOfAFixedTextAndModelStay) {
  const TempDir temp;
  const DataSetInfo set = build(temp, SCALELAW_SOURCE_DIR "/tests/golden/data/bpe_300.model");
  EXPECT_EQ(set.splits.at(Split::kTrain).token_hash, "688db813653b41fcce3490a3ee3901f4");
  EXPECT_EQ(set.splits.at(Split::kValidation).token_hash, "7087b39edc93e6981d3b6ca00a9da675");
  EXPECT_EQ(set.splits.at(Split::kTest).token_hash, "e6bc79227fbd1997c9fd517c455ec6d9");
}

}  // namespace
}  // namespace scalelaw
