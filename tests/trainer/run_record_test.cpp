#include "trainer/run_record.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/run_digests.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

RunRecord example_record() {
  RunRecord record;
  record.content_hash = "3fa9c1d20b7e3fa9c1d20b7e3fa9c1d2";
  record.shape = {.arch = "lstm", .n_layer = 3, .d_model = 96, .n_vocab = 512};
  record.shape.position = PositionEncoding::kLearned;
  record.shape.embeddings = EmbeddingTying::kUntied;
  record.shape.init = InitScheme::kGpt2;
  record.shape.bias = false;
  record.counts.parameters = {.token_embedding = 1, .recurrent = 2, .bias = 3, .head = 4};
  record.counts.forward_flops.recurrent = 1.5e18;
  record.steps = 2442;
  record.train_tokens = int64_t{1} << 52;
  record.unique_train_tokens = 123;
  record.batch_tokens = 1024;
  record.learning_rate = 0.1;
  record.seed_init = 7;
  record.seed_data = 8;
  record.train_set = "books-8k \"quoted\"";
  record.tokenizer_hash = "ab";
  record.final_train_loss_nats = 2.0 / 3.0;
  TestResult result{"c0ffee", 131072, 1024, 1.0 / 3.0,
                    0.001,    1.9,    0.31, {{0, 0, 5.5, 0.1}, {1, 2, 4, 0.2}}};
  record.test = {{"books", result}, {"wiki", result}};
  record.test["books"].split_tokens = 131'100;
  record.test["books"].text_bytes = 520'000;
  record.noise_scale = {38, 0.02, 1.0 / 3.0, 1.0 / 0.06, 12.5, {}};
  record.wall_seconds = 12.5;
  record.evaluate_seconds = 1.25;
  record.final_evaluate_seconds = 0.75;
  record.checkpoint_seconds = 0.5;
  record.pack = {"3fa9", "77aa"};
  record.pack_row = 1;
  record.events = {{"resumed", 512, "from checkpoints/step-000000512.safetensors"}};
  record.attempts = {
      {1,
       "token",
       "3fa9",
       0,
       {"0.1.0", "abc", true, "2.11.0", "", "cpu", "h", "t", "AVX512", 2, 0, true, "graph"}},
      {2, "other", "3fa9", 512, {}}};
  return record;
}

MetricsRow row_at(int64_t step, double loss_nats) {
  MetricsRow row;
  row.step = step;
  row.train_tokens = step * 1024;
  row.train_loss_nats = loss_nats;
  return row;
}

Attempt attempt_from(int number, int64_t first_step, const std::string& token = "") {
  return {number, token, "", first_step, {}};
}

class RunRecordTest : public testing::Test {
 protected:
  void write_part(int attempt, const std::vector<MetricsRow>& rows, const std::string& tail = "") {
    std::ofstream file(folder_.metrics_part(attempt));
    for (const MetricsRow& row : rows) file << to_json_line(row) << "\n";
    file << tail;
  }
  void write_record(const std::string& text) { std::ofstream(folder_.record()) << text; }
  std::string read_fault() const {
    try {
      read_run_record(folder_);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  // "step:loss" of the merged rows.
  std::string merged() const {
    std::string text;
    for (const MetricsRow& row : read_metrics(folder_)) {
      text += std::to_string(row.step) + ":" +
              std::to_string(static_cast<int>(row.train_loss_nats.value_or(-1))) + " ";
    }
    return text;
  }

  TempDir temp_;
  RunFolder folder_{temp_.path()};
};

TEST_F(RunRecordTest, RoundTripsThroughJsonExactly) {
  const RunRecord record = example_record();
  write_record(to_json(record));
  const RunRecord read = read_run_record(folder_);
  EXPECT_EQ(to_json(read), to_json(record));
  EXPECT_EQ(read.shape, record.shape);
  EXPECT_EQ(read.counts.parameters, record.counts.parameters);
  EXPECT_EQ(read.counts.forward_flops, record.counts.forward_flops);
  EXPECT_EQ(read.final_train_loss_nats, 2.0 / 3.0);
  EXPECT_EQ(read.train_tokens, int64_t{1} << 52);
  EXPECT_EQ(read.test.at("wiki").by_position.at(1).last, 2);
  EXPECT_EQ(read.noise_scale.value().measurements, 38);
  EXPECT_EQ(read.noise_scale->grad_noise_tokens, 1.0 / 3.0);
  EXPECT_EQ(read.noise_scale->tokens_low, 12.5);
  EXPECT_EQ(read.noise_scale->tokens_high, std::nullopt);
  EXPECT_EQ(read.attempts.at(0).provenance.threads, 2);
  EXPECT_TRUE(read.attempts.at(0).provenance.git_dirty);
}

// A field that is added later must be one that may be absent: a failure here means that a finished
// run would have to be paid for again. Do not renew the file.
TEST_F(RunRecordTest, RecordsOfEarlierProgramsStayReadable) {
  const auto golden = std::filesystem::path(SCALELAW_SOURCE_DIR) / "tests/golden/run_record";
  std::filesystem::copy_file(golden / "first.json", folder_.record());
  const RunRecord record = read_run_record(folder_);
  EXPECT_EQ(record.state, RunState::kComplete);
  EXPECT_EQ(record.content_hash.substr(0, 12), "e05cdfc239fd");
  EXPECT_EQ(record.shape.arch, "lstm");
  EXPECT_EQ(record.counts.parameters.recurrent, 1568);
  EXPECT_EQ(record.test.at("default").tokens, 131072);
  EXPECT_FALSE(record.final_evaluate_seconds);
}

TEST_F(RunRecordTest, ADivergedRunKeepsItsNan) {
  RunRecord record;
  record.state = RunState::kDiverged;
  record.final_train_loss_nats = std::nan("");
  write_record(to_json(record));
  const RunRecord read = read_run_record(folder_);
  EXPECT_EQ(read.state, RunState::kDiverged);
  EXPECT_TRUE(std::isnan(read.final_train_loss_nats));
}

TEST_F(RunRecordTest, UnknownKeysAreIgnored) {
  auto json = nlohmann::json::parse(to_json(example_record()));
  json["later"] = {{"a", 1}};
  json["shape"]["later"] = true;
  write_record(json.dump());
  EXPECT_EQ(to_json(read_run_record(folder_)), to_json(example_record()));
}

TEST_F(RunRecordTest, FaultsNameTheFileAndTheKey) {
  const auto good = nlohmann::json::parse(to_json(example_record()));
  const auto expect_fault = [&](const std::string& text) {
    EXPECT_TRUE(read_fault().starts_with(folder_.record().string())) << read_fault();
    EXPECT_NE(read_fault().find(text), std::string::npos) << read_fault();
  };
  auto json = good;
  json["version"] = 2;
  write_record(json.dump());
  expect_fault("version 2 of the run folder; this program knows version 1");
  json = good;
  json["shape"].erase("n_layer");
  write_record(json.dump());
  expect_fault(": is damaged: shape.n_layer is missing; restore it from a copy");
  json = good;
  json["steps"] = "many";
  write_record(json.dump());
  expect_fault(": is damaged: steps must be a whole number, is \"many\"; restore it from a copy");
  json = good;
  json["state"] = "done";
  write_record(json.dump());
  expect_fault("state must be a word that this program knows, is \"done\"");
  json = good;
  json["test"] = 5;
  write_record(json.dump());
  expect_fault("test must be an object, is 5");
  json = good;
  json["test"]["wiki"]["tokens"] = 18446744073709551615u;
  write_record(json.dump());
  expect_fault("test.wiki.tokens must be a smaller number, is 18446744073709551615");
  json = good;
  json["counts"]["parameters"]["mlp"] = int64_t{1} << 62;
  write_record(json.dump());
  expect_fault("counts.parameters.mlp must be a smaller number, is 4611686018427387904");
  json = good;
  json["attempts"][0]["provenance"]["git_dirty"] = "yes";
  write_record(json.dump());
  expect_fault("attempts.0.provenance.git_dirty must be true or false, is \"yes\"");
  write_record(good.dump().substr(0, 200));
  expect_fault("is damaged: cut short after 200 bytes; restore it from a copy");
  write_record("");
  expect_fault("is damaged: empty");
  write_record(good.dump().insert(9, "\x01"));
  expect_fault("is damaged: no JSON from byte 10 on");
  write_record("{\"version\": " + std::string(300'000, '[') + std::string(300'000, ']') + "}");
  expect_fault("is damaged: nested deeper than 64 levels");
  write_record("[]");
  expect_fault("must be an object, is []");
}

TEST_F(RunRecordTest, AbsentMeansNotComplete) {
  EXPECT_FALSE(try_read_run_record(folder_).has_value());
  write_record("{}");
  EXPECT_THROW(try_read_run_record(folder_), std::runtime_error);
}

TEST_F(RunRecordTest, MetricsRowsRoundTrip) {
  MetricsRow row;
  row.step = 5;
  row.train_tokens = 5120;
  row.wall_seconds = 0.1;
  EXPECT_EQ(to_json_line(row), R"({"step":5,"train_tokens":5120,"wall_seconds":0.1})");
  EXPECT_EQ(metrics_row_from_json(to_json_line(row)).train_loss_nats, std::nullopt);
  row.train_loss_nats = 1.0 / 3.0;
  row.grad_norm = std::numeric_limits<double>::infinity();
  row.noise_measurements = 3;
  row.grad_sq_norm = -1.0 / 3.0;
  row.grad_noise_tokens = 1e3;
  row.tokens_per_second = 1e5;
  row.learning_rate = 3e-4;
  row.test_loss_nats = {{"books", 4.25}, {"wiki", 5.125}};
  const MetricsRow read = metrics_row_from_json(to_json_line(row));
  EXPECT_EQ(read.train_loss_nats, 1.0 / 3.0);
  EXPECT_EQ(read.learning_rate, 3e-4);
  EXPECT_EQ(read.test_loss_nats, row.test_loss_nats);
  EXPECT_TRUE(read.grad_norm && std::isnan(*read.grad_norm));
  EXPECT_EQ(read.noise_measurements, 3);
  EXPECT_EQ(read.grad_sq_norm, -1.0 / 3.0);
  EXPECT_EQ(read.grad_noise_tokens, 1e3);
  EXPECT_EQ(read.noise_scale_tokens, std::nullopt);
}

TEST_F(RunRecordTest, LaterAttemptsReplaceWhatCameAfterTheirCheckpoint) {
  write_attempt(folder_, attempt_from(1, 0));
  write_attempt(folder_, attempt_from(2, 20));
  write_attempt(folder_, attempt_from(3, 20));
  write_part(1, {row_at(0, 1), row_at(10, 1), row_at(20, 1), row_at(30, 1), row_at(35, 1)});
  write_part(2, {row_at(30, 2), row_at(40, 2)});
  write_part(3, {row_at(20, 3), row_at(30, 3)});
  EXPECT_EQ(merged(), "0:1 10:1 20:3 30:3 ");
}

TEST_F(RunRecordTest, AnAttemptThatWroteNoLineStillCutsItsPredecessor) {
  write_attempt(folder_, attempt_from(1, 0));
  write_attempt(folder_, attempt_from(2, 20));
  write_part(1, {row_at(10, 1), row_at(20, 1), row_at(30, 1)});
  write_part(2, {});
  EXPECT_EQ(merged(), "10:1 20:1 ");
}

TEST_F(RunRecordTest, ManyAttemptsAreMergedInNumericOrder) {
  for (int attempt = 1; attempt <= 11; ++attempt) {
    write_attempt(folder_, attempt_from(attempt, attempt - 1));
    write_part(attempt, {row_at(attempt, attempt)});
  }
  EXPECT_EQ(merged(), "1:1 2:2 3:3 4:4 5:5 6:6 7:7 8:8 9:9 10:10 11:11 ");
  EXPECT_EQ(read_attempts(folder_).back().number, 11);
}

TEST_F(RunRecordTest, ATornLastLineIsLeftOut) {
  write_part(1, {row_at(1, 1), row_at(2, 1)}, R"({"step":3,"train_tok)");
  EXPECT_EQ(merged(), "1:1 2:1 ");
  write_part(1, {row_at(1, 1)}, to_json_line(row_at(2, 2)));  // whole, but for its newline
  EXPECT_EQ(merged(), "1:1 2:2 ");
}

TEST_F(RunRecordTest, ABrokenLineBeforeTheLastIsAnError) {
  write_part(1, {row_at(1, 1)}, "{\"st\n" + to_json_line(row_at(3, 1)) + "\n");
  try {
    read_metrics(folder_);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("metrics.0001.jsonl:2: "), std::string::npos)
        << error.what();
  }
}

TEST_F(RunRecordTest, PublishWritesMergedMetricsThenTheRecordAndNeverOverwrites) {
  write_attempt(folder_, attempt_from(1, 0));
  write_part(1, {row_at(1, 1)});
  RunRecord record = example_record();
  EXPECT_TRUE(publish(folder_, record));
  EXPECT_EQ(merged(), "1:1 ");
  const std::string metrics = read_whole_file(folder_.merged_metrics());
  write_part(1, {row_at(1, 9)});
  record.steps = 1;
  EXPECT_FALSE(publish(folder_, record));
  EXPECT_EQ(read_run_record(folder_).steps, 2442);
  EXPECT_EQ(read_whole_file(folder_.merged_metrics()), metrics);
}

TEST_F(RunRecordTest, RecordKnowsItselfAndTheResultsBesideIt) {
  write_attempt(folder_, attempt_from(1, 0));
  write_part(1, {row_at(1, 1)});
  std::vector<float> losses = {1, 2};
  write_safetensors(folder_.window_losses(),
                    {{"tiny", {"F32", {2}, std::as_bytes(std::span(losses))}}}, {});
  EXPECT_TRUE(publish(folder_, example_record()));
  std::string text = read_whole_file(folder_.record());
  EXPECT_TRUE(has_own_hash(text));
  const auto files = read_run_record(folder_).files;
  ASSERT_TRUE(files.has_value());
  EXPECT_EQ(files->size(), 2u);
  EXPECT_EQ(files->at("metrics.jsonl"), digest_of(folder_.merged_metrics()));
  EXPECT_EQ(files->at("window_losses.safetensors"), digest_of(folder_.window_losses()));
  text.at(text.find("2442")) = '3';
  EXPECT_FALSE(has_own_hash(text));
  EXPECT_TRUE(has_own_hash("{}")) << "of before there was one";
  EXPECT_FALSE(has_own_hash("{\"record_hash\": \"12"));
}

TEST_F(RunRecordTest, PartsWinOverMergedMetricsUntilTheRunIsComplete) {
  std::ofstream(folder_.merged_metrics()) << to_json_line(row_at(1, 5)) << "\n";
  write_part(1, {row_at(1, 1)});
  EXPECT_EQ(merged(), "1:1 ");
}

TEST_F(RunRecordTest, AnAttemptIsWrittenOnce) {
  write_attempt(folder_, attempt_from(1, 0, "mine"));
  EXPECT_THROW(write_attempt(folder_, attempt_from(1, 0, "theirs")), std::runtime_error);
  ASSERT_EQ(read_attempts(folder_).size(), 1u);
  EXPECT_EQ(read_attempts(folder_)[0].token, "mine");
  EXPECT_EQ(folder_.attempt_file(12).filename(), "0012.json");
}

TEST_F(RunRecordTest, NamesThatAreNoUtf8DoNotStopAPublish) {
  RunRecord record = example_record();
  record.events = {{"resumed", 1, "host \xff"}};
  EXPECT_TRUE(publish(folder_, record));
  EXPECT_EQ(read_run_record(folder_).events.at(0).detail, "host \ufffd");
}

}  // namespace
}  // namespace scalelaw
