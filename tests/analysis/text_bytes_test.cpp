#include "analysis/text_bytes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

class TextBytes : public ::testing::Test {
 protected:
  static SyntheticRun of_width(int64_t d_model) {
    SyntheticRun run;
    run.d_model = d_model;
    return run;
  }
  void write(const std::vector<SyntheticRun>& runs) const {
    for (const SyntheticRun& run : runs) write_synthetic_run(runs_, run);
  }
  // The message of the ConfigError that selecting gives; "" when there is none.
  std::string refusal(Selection selection) const {
    RunTable table = read_runs({runs_});
    try {
      select_runs(table, selection);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  TempDir temp_;
  std::filesystem::path runs_ = temp_.path() / "runs";
};

// As after `data import --bytes`: the run that is complete does not hear of it.
TEST_F(TextBytes, TextBytesThatAreGivenStandInForWhatRecordsLackOrSayOtherwise) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16), of_width(24)};
  runs[1].text_bytes_known = false;
  runs[2].bytes_a_token = 2;
  write(runs);
  Selection selection;
  selection.metric = LossMetric::kBitsPerByte;
  selection.text_bytes = {{"default", 2'500'000}};
  RunTable table = read_runs({runs_});
  select_runs(table, selection);
  ASSERT_EQ(table.rows.size(), 3u);
  for (const RunRow& row : table.rows) {
    EXPECT_NEAR(row.loss("default", LossMetric::kBitsPerByte), 2.5 / std::log(2.0) / 2.5, 1e-12);
  }
  ASSERT_FALSE(table.warnings.empty());
  EXPECT_NE(table.warnings[0].find("2500000 bytes of text, as --bytes says"), std::string::npos)
      << table.warnings[0];
  selection.text_bytes = {{"wiki", 1}};
  EXPECT_NE(refusal(selection).find("--bytes wiki=1: no run"), std::string::npos);
}

TEST_F(TextBytes, RecordsThatDoNotSayHowManyTokensThereAreKeepNoBitsPerByte) {
  std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
  runs[1].text_bytes_known = runs[1].split_tokens_known = false;
  write(runs);
  Selection selection;
  selection.metric = LossMetric::kBitsPerByte;
  selection.text_bytes = {{"default", 2'100'000}};
  RunTable table = read_runs({runs_});
  select_runs(table, selection);
  ASSERT_EQ(table.excluded.size(), 1u);
  EXPECT_NE(table.excluded[0].reason.find("of an older program"), std::string::npos)
      << table.excluded[0].reason;
}

TEST_F(TextBytes, RunsThatDisagreeAboutATextsBytesAreInNoCommonLaw) {
  Selection selection;
  for (const bool old : {false, true}) {
    for (const bool other_tokenizer : {false, true}) {
      std::filesystem::remove_all(runs_);
      std::vector<SyntheticRun> runs = {of_width(8), of_width(16)};
      runs[0].bytes_a_token = 2.5;
      runs[0].split_tokens_known = runs[1].split_tokens_known = !old;
      if (other_tokenizer) runs[1].tokenizer_hash = runs[1].test_token_hash = std::string(32, 'f');
      write(runs);
      selection.metric = LossMetric::kBitsPerByte;
      const std::string said = refusal(selection);
      // Between tokenizers records without the bytes tell nothing.
      EXPECT_EQ(said.empty(), old && other_tokenizer) << said;
      if (!said.empty()) {
        EXPECT_NE(said.find("differ in how many bytes of text default has"), std::string::npos);
        EXPECT_NE(said.find(old ? "2.1000 a token and 2.5000" : "2100000 and 2500000"),
                  std::string::npos)
            << said;
      }
      selection.metric = LossMetric::kNatsPerToken;
      EXPECT_EQ(refusal(selection).empty(), !other_tokenizer) << "nats have no bytes";
    }
  }
}

}  // namespace
}  // namespace scalelaw
