#include "trainer/sweep_record.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

class SweepRecordTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(file_.parent_path()); }

  // What the reader says of a file with this content; "" when it reads it.
  std::string fault(const std::string& content) {
    std::ofstream(file_) << content;
    try {
      read_sweep_record(file_);
      return "";
    } catch (const std::runtime_error& error) {
      EXPECT_NE(std::string(error.what()).find(file_.string()), std::string::npos);
      return error.what();
    }
  }

  TempDir temp_;
  std::filesystem::path root_ = temp_.path(), file_ = sweep_record_file(root_, "ladder");
};

SweepRecord example() {
  SweepRecord record;
  record.name = "ladder";
  record.spec_file = "configs/with \"quotes\".yaml";
  record.spec_hash = std::string(32, 'a');
  record.cells = {{std::string(32, '1'), "lstm_x-111", {{"lstm", "ladder"}, {"lstm", "noise"}}},
                  {std::string(32, '2'), "tf_x-222", {{"", ""}}}};
  return record;
}

TEST_F(SweepRecordTest, ReadsBackWhatWasWritten) {
  write_sweep_record(file_, example());
  EXPECT_EQ(read_sweep_record(file_), example());
  EXPECT_EQ(read_sweep_record(file_).cells[0].arm(), "lstm");
  EXPECT_EQ(file_, root_ / "sweeps" / "ladder.json");
}

TEST_F(SweepRecordTest, WhatACellKeepsIsAWordOrNotKnown) {
  SweepRecord record = example();
  record.cells[1].keep = KeptCheckpoint::kWeights;
  write_sweep_record(file_, record);
  EXPECT_EQ(read_sweep_record(file_), record);
  std::string content = read_whole_file(file_);
  content.replace(content.find("\"weights\""), 9, "\"some\"");
  EXPECT_NE(fault(content).find("cells.1.keep must be whole, weights or none"), std::string::npos);
}

TEST_F(SweepRecordTest, ARecipeIsTextsByKeyOrNotSaid) {
  SweepRecord record = example();
  record.cells[1].recipe = {{"train.batch_tokens", "4096"}, {"train.precision", "fp32"}};
  write_sweep_record(file_, record);
  EXPECT_EQ(read_sweep_record(file_), record);
  std::string content = read_whole_file(file_);
  content.replace(content.find("\"4096\""), 6, "4096");
  EXPECT_NE(fault(content).find("cells.1.recipe must be an object of texts"), std::string::npos)
      << fault(content);
}

TEST_F(SweepRecordTest, AStudyIsKnownByTheNameOfItsFilesSweepWithSettings) {
  EXPECT_EQ(study_of("ladder.set-0a1b2c3d"), "ladder");
  EXPECT_EQ(study_of("a.set-x.set-0a1b2c3d"), "a.set-x");
  for (const char* other : {"ladder", "ladder.set-", "ladder.set-0a1b2c3", "ladder.set-0A1B2C3D"}) {
    EXPECT_EQ(study_of(other), "") << other;
  }
}

TEST_F(SweepRecordTest, ATrialIsOneOfTheStoreUnlessAnotherSweepHasItForAResult) {
  SweepRecord record = example();
  record.cells[0].is_trial = true;
  write_sweep_record(file_, record);
  EXPECT_EQ(read_sweep_record(file_), record);
  ASSERT_EQ(trials_of_store(root_).size(), 1u);
  EXPECT_EQ(trials_of_store(root_)[0].folder, "lstm_x-111");
  std::ofstream(sweep_record_file(root_, "damaged")) << "{";
  EXPECT_EQ(trials_of_store(root_).size(), 1u);
  record.cells[0].is_trial = false;
  write_sweep_record(sweep_record_file(root_, "other"), record);
  EXPECT_TRUE(trials_of_store(root_).empty());
}

TEST_F(SweepRecordTest, HeldOutCellsNameTheirPrediction) {
  SweepRecord record = example();
  write_sweep_record(file_, record);
  EXPECT_EQ(read_whole_file(file_).find("hold_out"), std::string::npos);
  record.cells[1].hold_out = HeldOut{"hero", 100, 120, 150, 2'500'608, "transformer", "books"};
  write_sweep_record(file_, record);
  EXPECT_EQ(read_sweep_record(file_), record);
  EXPECT_EQ(record.cells[1].hold_out->n(NCount::kNonEmbedding), 100);
  EXPECT_EQ(record.cells[1].hold_out->n(NCount::kNonEmbeddingPlusHead), 120);
  EXPECT_EQ(record.cells[1].hold_out->n(NCount::kTotal), 150);
  record.cells[1].hold_out->recipe_hash = std::string(32, 'c');
  write_sweep_record(file_, record);
  EXPECT_EQ(read_sweep_record(file_), record);
  record.cells[1].hold_out->recipe_hash.clear();
  write_sweep_record(file_, record);
  const std::string expected = R"("hold_out": {
    "prediction": "hero",
    "n_non_embedding": 100,
    "n_non_embedding_plus_head": 120,
    "n_total": 150,
    "train_tokens": 2500608,
    "arch": "transformer",
    "test_set": "books"
   })";
  const std::string content = read_whole_file(file_);
  ASSERT_NE(content.find(expected), std::string::npos) << content;
  EXPECT_NE(content.find(R"("version": 1,)"), std::string::npos);
  const auto fault_with = [&](const std::string& what, const std::string& by) {
    std::string damaged = content;
    return fault(damaged.replace(damaged.find(what), what.size(), by));
  };
  for (const char* name : {"", "..", "a/b", "..\\u0000x"}) {
    EXPECT_NE(fault_with("hero", name).find("cells.1.hold_out.prediction must be a name"),
              std::string::npos)
        << name;
  }
  EXPECT_NE(fault_with("120", "-1").find("cells.1.hold_out.n_non_embedding_plus_head is no whole"),
            std::string::npos);
  EXPECT_NE(fault_with("2500608", "2.5").find("train_tokens must be a whole number, is 2.5"),
            std::string::npos);
  EXPECT_NE(fault_with(expected, R"("hold_out": null)").find("hold_out must be an object"),
            std::string::npos);
}

TEST_F(SweepRecordTest, UnknownKeysAreIgnored) {
  EXPECT_EQ(fault(R"({"version": 1, "name": "n", "spec_file": "f", "spec_hash": "h", "later": 7,
      "cells": [{"content_hash": "c", "folder": "f", "more": 1,
                 "places": [{"arm": "a", "block": "b"}]}]})"),
            "");
}

TEST_F(SweepRecordTest, FaultsAreNamed) {
  const std::string head = R"({"version": 1, "name": "n", "spec_file": "f", "spec_hash": "h")";
  EXPECT_THROW(read_sweep_record(root_ / "absent.json"), std::runtime_error);
  EXPECT_NE(fault("{").find("no sweep's record: cut short after 1 bytes; move it away"),
            std::string::npos);
  EXPECT_NE(fault("[]").find("no sweep's record: must be an object, is []; move it away"),
            std::string::npos)
      << fault("[]");
  EXPECT_NE(fault(R"({"version": 1})").find("name is missing"), std::string::npos);
  EXPECT_NE(fault(R"({"version": 1, "name": 7})").find("name must be a text, is 7"),
            std::string::npos);
  EXPECT_NE(fault(head + R"(, "cells": [7]})").find("cells.0 must be an object, is 7"),
            std::string::npos);
  EXPECT_NE(fault(R"({"version": 2})").find("version 2"), std::string::npos);
  EXPECT_NE(fault(head + "}").find("cells"), std::string::npos);
  EXPECT_NE(fault(head + R"(, "cells": []})").find("cells must be a list that is not empty, is []"),
            std::string::npos);
  const std::string place = R"("places": [{"arm": "a", "block": "b"}])";
  for (const char* folder : {"", ".", "..", "../elsewhere", "/etc", "a/b", "..\\u0000x"}) {
    EXPECT_NE(fault(head + R"(, "cells": [{"content_hash": "c", "folder": ")" + folder + "\", " +
                    place + "}]}"),
              "")
        << folder;
  }
  EXPECT_NE(fault(head + R"(, "cells": [{"content_hash": "c", "folder": "f", "places": []}]})"),
            "");
}

}  // namespace
}  // namespace scalelaw
