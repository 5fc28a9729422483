#include "trainer/prediction.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/run_digests.h"

namespace scalelaw {
namespace {

class PredictionTest : public testing::Test {
 protected:
  // What the reader says of a file with this content; "" when it reads it.
  std::string fault(const std::string& content) {
    std::filesystem::create_directories(file_.parent_path());
    std::ofstream(file_) << content;
    try {
      find_prediction(runs_, "hero");
      return "";
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(file_.string()), std::string::npos);
      return error.what();
    }
  }
  // Of the example, with one text of its file replaced, and its hash made anew.
  std::string fault_with(const std::string& what, const std::string& by);

  TempDir temp_;
  std::filesystem::path runs_ = temp_.path(), file_ = prediction_file(runs_, "hero");
};

Prediction example() {
  Prediction prediction;
  prediction.name = "hero";
  prediction.sweep = "ladder";
  prediction.registered_at = "2026-01-31T12:00:00Z";
  prediction.n_count = "non_embedding";
  prediction.test_set = "books";
  prediction.metric = "nats_per_token";
  prediction.runs = {{std::string(32, '1'), "a"}, {std::string(32, '2'), "b"}};
  prediction.cells = {{std::string(32, 'f'),
                       "tf_x-fff",
                       "transformer",
                       1.5e6,
                       2.5e6,
                       1.25,
                       1.2,
                       1.3,
                       {{"power", "L = (N_c / N)^a", "D = 2.5M", {{"a", .1}, {"N_c", 1.0 / 3}}}},
                       "why",
                       {std::string(32, '1')},
                       4,
                       2,
                       "has train.batch_tokens 4096 (they 2048)"}};
  prediction.left_out = {{"c", "excluded: a broken GPU"}};
  return prediction;
}

std::string example_with(const std::string& what, const std::string& by) {
  std::string content = to_json(example());
  const std::size_t place = content.find(what);
  EXPECT_NE(place, std::string::npos) << what;
  return content.replace(place, what.size(), by);
}

std::string PredictionTest::fault_with(const std::string& what, const std::string& by) {
  std::string content = example_with(what, by);
  content.erase(content.rfind(",\n  \"record_hash\""));
  return fault(with_record_hash(content + "\n}\n"));
}

TEST_F(PredictionTest, ReadsBackWhatWasWritten) {
  EXPECT_FALSE(find_prediction(runs_, "hero"));
  EXPECT_TRUE(publish_prediction(runs_, example()));
  EXPECT_EQ(file_, runs_ / "predictions" / "hero.json");
  const std::optional<Prediction> read = find_prediction(runs_, "hero");
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, example());
  EXPECT_EQ(read->find(std::string(32, 'f')), &read->cells[0]);
  EXPECT_EQ(read->find(std::string(32, '1')), nullptr);
}

TEST_F(PredictionTest, IsWrittenOnce) {
  ASSERT_TRUE(publish_prediction(runs_, example()));
  Prediction other = example();
  other.cells[0].loss = 1.21;
  EXPECT_FALSE(publish_prediction(runs_, other));
  EXPECT_EQ(read_whole_file(file_), to_json(example()));
}

TEST_F(PredictionTest, AnEditedFileIsToldAsEdited) {
  EXPECT_NE(fault(example_with(R"("loss": 1.25)", R"("loss": 1.26)"))
                .find("it was edited after it was registered (record_hash differs)"),
            std::string::npos);
  std::string without = to_json(example());
  without.replace(without.rfind(",\n  \"record_hash\""), std::string::npos, "\n}\n");
  EXPECT_NE(fault(without).find("it has no record_hash"), std::string::npos);
}

TEST_F(PredictionTest, ACellStandsOnce) {
  Prediction twice = example();
  twice.cells.push_back(twice.cells[0]);
  EXPECT_NE(fault(to_json(twice)).find("cells.1.content_hash must stand in one cell alone"),
            std::string::npos);
}

TEST_F(PredictionTest, ThoseOfAStoreAreReadByName) {
  std::vector<std::string> faults;
  EXPECT_TRUE(predictions_of_store(runs_, faults).empty());
  Prediction other = example();
  other.name = "ant";
  publish_prediction(runs_, example());
  publish_prediction(runs_, other);
  std::ofstream(prediction_file(runs_, "bad")) << "{";
  const std::vector<Prediction> all = predictions_of_store(runs_, faults);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "ant");
  EXPECT_EQ(all[1], example());
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_NE(faults[0].find("bad.json"), std::string::npos);
}

TEST_F(PredictionTest, UnknownKeysAreIgnored) {
  EXPECT_EQ(fault_with(R"("version": 1)", R"("version": 1, "later": [{}])"), "");
}

TEST_F(PredictionTest, FaultsAreNamed) {
  EXPECT_NE(
      fault("{").find("is damaged, edited or no prediction: cut short after 1 bytes; it is written "
                      "once, so bring it back from a copy; held-out runs that have not begun can "
                      "be registered under another name in the sweep's file, the others no more"),
      std::string::npos);
  EXPECT_NE(fault("[]").find("must be an object, is []"), std::string::npos);
  EXPECT_NE(fault_with(R"("version": 1)", R"("version": 2)").find("is of version 2 of predictions"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("hero")", R"("other")").find("it is named \"other\""), std::string::npos);
  EXPECT_NE(fault_with("12:00:00Z", "12:00").find("registered_at must be a time"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("loss": 1.25)", R"("loss": 1.4)")
                .find("cells.0.loss must lie between low and high"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("low": 1.2)", R"("low": "x")").find("cells.0.low must be a number"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("n": 1500000.0)", R"("n": 0)").find("cells.0.n must be above 0, is 0"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("value": 0.1)", R"("value": null)")
                .find("cells.0.laws.0.constants.0.value must be a number, is null"),
            std::string::npos);
  EXPECT_NE(fault_with("non_embedding", "non").find("n_count must be a convention of N"),
            std::string::npos);
  EXPECT_NE(fault_with(R"("level": 0.95)", R"("level": 95)").find("level must be below 1"),
            std::string::npos);
  for (const char* folder : {"", "..", "a/b", "..\\u0000x"}) {
    EXPECT_NE(fault_with("tf_x-fff", folder).find("cells.0.folder must be a name and no path"),
              std::string::npos)
        << folder;
    EXPECT_NE(fault_with(R"("folder": "a")", R"("folder": ")" + std::string(folder) + "\""), "")
        << folder;
  }
  std::string none = to_json(example());
  none.replace(none.find(R"("cells":)"), 8, R"("cells": [], "cells_of_old":)");
  EXPECT_NE(fault(none).find("cells must be a list that is not empty"), std::string::npos);
}

TEST(Clock, TimesAreWrittenInOneForm) {
  EXPECT_TRUE(is_utc_time(utc_now()));
  for (const char* text : {"", "2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00:00+",
                           "2026-01-31T12:00:00ZZ", "2026-01-3aT12:00:00Z"}) {
    EXPECT_FALSE(is_utc_time(text)) << text;
  }
}

}  // namespace
}  // namespace scalelaw
