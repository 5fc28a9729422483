// Each kind of damage is found, named with its file, and said what to do about.
#include "sweeps/store/verify_predictions.h"

#include "sweeps/store/clean_runs.h"
#include "tests/sweeps/store/store_fixture.h"
#include "trainer/attempt_cost.h"
#include "trainer/config_yaml.h"
#include "trainer/prediction.h"
#include "trainer/run_lease.h"
#include "trainer/safetensors.h"

namespace scalelaw {
namespace {

class VerifyTest : public StoreTest {
 protected:
  VerifyResult verify() const { return verify_runs(runs_, read_store(runs_).runs); }
  // Of this file and of no other.
  void expect_fault(const std::string& file, const std::string& what) const {
    const VerifyResult result = verify();
    ASSERT_EQ(result.faults.size(), 1u) << verify_text(result);
    EXPECT_EQ(result.faults[0].run, name(0));
    EXPECT_EQ(result.faults[0].file, file);
    EXPECT_NE(result.faults[0].what.find(what), std::string::npos) << result.faults[0].what;
    EXPECT_FALSE(result.faults[0].remedy.empty());
  }
  void expect_whole() const {
    const VerifyResult result = verify();
    EXPECT_TRUE(result.faults.empty()) << verify_text(result);
  }
  static void replace_in(const fs::path& file, const std::string& from, const std::string& to) {
    std::string text = text_of(file);
    ASSERT_NE(text.find(from), std::string::npos) << from;
    overwrite(file, text.replace(text.find(from), from.size(), to));
  }
  // The record of a program that knew no hashes of records and results, changed by `change`.
  template <typename Change>
  void make_old(const Change& change) const {
    RunRecord record = read_run_record(folder(0));
    record.files.reset();
    change(record);
    std::string text = to_json(record);
    const std::size_t hash = text.rfind(",\n  \"record_hash\"");
    ASSERT_NE(hash, std::string::npos);
    overwrite(folder(0).record(), text.erase(hash, text.rfind("\n}") - hash));
  }
  static void flip(const fs::path& file, std::size_t from_end) {
    std::string content = text_of(file);
    content.at(content.size() - from_end) ^= 1;
    overwrite(file, content);
  }
};

TEST_F(VerifyTest, WholeStoreHasNoFaultAndEveryFileIsRead) {
  const VerifyResult result = verify();
  EXPECT_TRUE(result.faults.empty()) << verify_text(result);
  EXPECT_EQ(result.runs, 4u);
  uint64_t files = 0, bytes = 0;
  for (std::size_t cell = 0; cell < 4; ++cell) {
    for (const auto& [file, content] : files_below(folder(cell).path)) {
      ++files;
      bytes += content.size();
    }
  }
  EXPECT_EQ(result.files, files);
  EXPECT_EQ(result.bytes, bytes);
}

TEST_F(VerifyTest, ConfigurationThatIsNotTheRecordsIsFound) {
  overwrite(folder(0).config(), to_yaml([&] {
              RunConfig config = plan_.cells[0].config;
              config.train.optimizer.beta1 = 0.8;
              return config;
            }()));
  expect_fault("config.yaml", "is not the configuration of run.json's content hash");
}

TEST_F(VerifyTest, ConfigurationOfADivergedRunIsComparedWithItsRecord) {
  RunRecord record = read_run_record(folder(0));
  record.state = RunState::kDiverged;
  record.test.clear();
  overwrite(folder(0).record(), to_json(record));
  EXPECT_TRUE(verify().faults.empty()) << verify_text(verify());
  record.learning_rate *= 2;
  overwrite(folder(0).record(), to_json(record));
  expect_fault("config.yaml", "is not the configuration");
}

TEST_F(VerifyTest, ConfigurationMayCallADataSetByAPath) {
  RunConfig config = plan_.cells[0].config;
  config.data.train = "/elsewhere/tiny";
  config.data.test = {{"/elsewhere/tiny", config.data.test.at("tiny")}};
  overwrite(folder(0).config(), to_yaml(config));
  EXPECT_TRUE(verify().faults.empty()) << verify_text(verify());
  config.data.test = {{"/elsewhere/tiny", 256}};
  overwrite(folder(0).config(), to_yaml(config));
  expect_fault("config.yaml", "is not the configuration");
}

TEST_F(VerifyTest, AttemptsAtAnotherRunThanTheRecordsAreFound) {
  overwrite(folder(0).attempt_file(1), text_of(folder(1).attempt_file(1)));
  expect_fault("attempts", "tell of several runs: " + plan_.cells[0].content_hash + " and " +
                               plan_.cells[1].content_hash);
}

TEST_F(VerifyTest, DamagedConfigurationIsFound) {
  overwrite(folder(0).config(), "spec: [");
  expect_fault("config.yaml", "config.yaml");
}

TEST_F(VerifyTest, DamagedRecordIsFound) {
  overwrite(folder(0).record(), text_of(folder(0).record()).substr(0, 300));
  expect_fault("run.json", "is damaged");
}

TEST_F(VerifyTest, MetricsThatEndEarlyOrAreTornAreFound) {
  const std::string whole = text_of(folder(0).merged_metrics());
  const std::size_t last_line = whole.rfind('\n', whole.size() - 2) + 1;
  overwrite(folder(0).merged_metrics(), whole.substr(0, last_line));
  expect_fault("metrics.jsonl", "ends at step");
  overwrite(folder(0).merged_metrics(), whole.substr(5));
  expect_fault("metrics.jsonl", ":1:");
  overwrite(folder(0).merged_metrics(), "");
  expect_fault("metrics.jsonl", "ends at step 0");
}

TEST_F(VerifyTest, RecordThatWasAlteredIsFound) {
  const std::string whole = text_of(folder(0).record());
  replace_in(folder(0).record(), "\"wall_seconds\": 20", "\"wall_seconds\": 21");
  expect_fault("run.json", "was altered");
  overwrite(folder(0).record(), whole);
  replace_in(folder(0).record(), "\"loss_nats\": 2.001", "\"loss_nats\": 1.25");
  expect_fault("run.json", "was altered");
}

TEST_F(VerifyTest, OldRecordIsWholeAndItsLossesAreComputedAnew) {
  const RunRecord record = read_run_record(folder(0));
  const auto with = [&](const auto& change, const std::string& what) {
    make_old([&](RunRecord& old) {
      old = record;
      old.files.reset();
      change(old, old.test.at("tiny"));
    });
    expect_fault("run.json", what);
  };
  make_old([](RunRecord&) {});
  expect_whole();
  with([](RunRecord&, TestResult& test) { test.loss_nats = 1.25; },
       "says test.tiny.loss_nats 1.25, and its by_position give 2.00");
  with(
      [](RunRecord&, TestResult& test) {
        test.loss_nats = 2.00101;
        test.by_position.clear();
      },
      "and window_losses.safetensors give 2.00");
  with([](RunRecord&, TestResult& test) { test.standard_error_nats += 1e-5; },
       "says test.tiny.standard_error_nats");
  with(
      [](RunRecord&, TestResult& test) {
        test.split_tokens = 100;
        test.text_bytes = 200;
      },
      "says test.tiny.bits_per_byte");
}

TEST_F(VerifyTest, FinalTrainLossIsThatOfTheLines) {
  RunRecord record = read_run_record(folder(0));
  // A line ends where the last tenth begins.
  std::string lines;
  for (const auto& [step, loss] : std::vector<std::pair<int64_t, double>>{
           {record.steps - record.steps / 10, 3}, {record.steps - 1, 2}, {record.steps, 2.5}}) {
    MetricsRow row;
    row.step = step;
    row.train_loss_nats = loss;
    lines += to_json_line(row) + "\n";
  }
  overwrite(folder(0).merged_metrics(), lines);
  overwrite(folder(0).metrics_part(1), lines);
  const auto tenth = static_cast<double>(record.steps / 10);
  make_old([&](RunRecord& old) { old.final_train_loss_nats = (2 * (tenth - 1) + 2.5) / tenth; });
  expect_whole();
  make_old([&](RunRecord& old) { old.final_train_loss_nats = 2; });
  expect_fault("run.json", "says final_train_loss_nats 2, and the lines of metrics.jsonl give");
}

TEST_F(VerifyTest, MetricsThatWereAlteredAreFound) {
  const std::string whole = text_of(folder(0).merged_metrics());
  replace_in(folder(0).merged_metrics(), "\"grad_norm\":0.7", "\"grad_norm\":0.6");
  expect_fault("metrics.jsonl", "is not the file that run.json was written with");
  make_old([](RunRecord&) {});
  expect_fault("metrics.jsonl", "the attempts' own lines (metrics.0001.jsonl and on) differ at");
  fs::remove(folder(0).metrics_part(1));
  expect_whole();
  overwrite(folder(0).merged_metrics(), whole);
  replace_in(folder(0).merged_metrics(), "\"grad_norm\":0.7", "\"grad_norm\":null");
  expect_fault("metrics.jsonl", "has null for a number at step");
  const std::size_t second = whole.find('\n') + 1;
  overwrite(folder(0).merged_metrics(), whole.substr(0, second) + whole);
  expect_fault("metrics.jsonl", "behind step");
}

TEST_F(VerifyTest, ResultsThatWereReplacedByOthersOrRemovedAreFound) {
  const fs::path file = folder(0).window_losses();
  const std::string name = file.filename().string(), whole = text_of(file);
  const SafetensorsFile before(file);
  write_safetensors(file, before.tensors(), {{"unit", "other"}});
  expect_fault(name, "is not the file that run.json was written with");
  fs::remove(file);
  expect_fault(name, "is missing");
  overwrite(file, whole);
  fs::remove(folder(0).merged_metrics());
  expect_fault("metrics.jsonl", "is missing");
}

TEST_F(VerifyTest, WeightsMayBeRemovedButNotReplaced) {
  const fs::path file = checkpoint_file(folder(0), plan_.cells[0].steps);
  const SafetensorsFile before(file);
  auto metadata = before.metadata();
  metadata["cursor"] = "another";
  write_safetensors(file, before.tensors(), metadata);
  expect_fault(file.lexically_relative(folder(0).path).string(), "is not the file that run.json");
  clean_runs(runs_, all(), {.keep = KeepCheckpoints::kNone});
  ASSERT_FALSE(fs::exists(file));
  expect_whole();
}

TEST_F(VerifyTest, CostThatCannotBeReadIsFound) {
  overwrite(cost_file(folder(0), 2), "garbage");
  expect_fault("cost.0002.json", "what attempt 2 has cost is not known");
}

TEST_F(VerifyTest, AlteredTensorsAreFound) {
  flip(folder(0).window_losses(), 1);
  expect_fault("window_losses.safetensors", "hash");
}

TEST_F(VerifyTest, CheckpointThatIsDamagedOrOfAnotherRunIsFound) {
  const fs::path file = checkpoint_file(folder(0), plan_.cells[0].steps);
  const std::string name = file.lexically_relative(folder(0).path).string();
  const std::string whole = text_of(file);
  flip(file, 1);
  expect_fault(name, "hash");
  overwrite(file, text_of(checkpoint_file(folder(1), plan_.cells[1].steps)));
  expect_fault(name, "is no checkpoint of this run");
  overwrite(file, whole.substr(0, 20));
  expect_fault(name, "");
}

TEST_F(VerifyTest, DamagedAttemptAndAFolderOfAnotherNameAreFound) {
  const std::string whole = text_of(folder(0).attempt_file(1));
  overwrite(folder(0).attempt_file(1), "{");
  expect_fault("attempts/0001.json", "is damaged");
  overwrite(folder(0).attempt_file(1), whole);
  const fs::path moved = runs_ / "a\nname";
  fs::rename(folder(0).path, moved);
  const VerifyResult result = verify();
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_NE(result.faults[0].what.find("does not end in the content hash"), std::string::npos);
  EXPECT_NE(verify_text(result).find("a\\nname"), std::string::npos);
}

TEST_F(VerifyTest, RunningRunIsLeftAloneAndUnfinishedOneIsRead) {
  make_unfinished(0);
  make_unfinished(1);
  const RunLease held(folder(1).path);
  overwrite(folder(1).config(), "");
  const VerifyResult result = verify();
  EXPECT_TRUE(result.faults.empty()) << verify_text(result);
  EXPECT_EQ(result.running, std::vector<std::string>{name(1)});
  EXPECT_EQ(result.runs, 3u);
}

TEST_F(VerifyTest, AnEditedPredictionIsFound) {
  VerifyResult result;
  verify_predictions(runs_, result);
  EXPECT_EQ(result.files, 0u) << "there is none";
  Prediction prediction;
  prediction.name = "hero";
  prediction.sweep = "s";
  prediction.registered_at = "2026-01-31T12:00:00Z";
  prediction.n_count = "non_embedding";
  prediction.test_set = "tiny";
  prediction.metric = "nats_per_token";
  prediction.runs = {{std::string(32, '1'), "a"}};
  prediction.cells.resize(1);
  PredictedCell& cell = prediction.cells[0];
  cell.content_hash = std::string(32, 'f');
  cell.folder = "b";
  cell.n = cell.d = 1e6;
  cell.loss = cell.low = cell.high = 1.25;
  cell.laws = {{"power", "L = (N_c / N)^a", "D = 2.5M", {{"a", .1}}}};
  cell.runs = {std::string(32, '1')};
  ASSERT_TRUE(publish_prediction(runs_, prediction));
  verify_predictions(runs_, result);
  EXPECT_TRUE(result.faults.empty()) << verify_text(result);
  EXPECT_EQ(result.files, 1u);
  replace_in(prediction_file(runs_, "hero"), "2026-01-31", "2020-01-31");
  verify_predictions(runs_, result);
  ASSERT_EQ(result.faults.size(), 1u);
  EXPECT_EQ(result.faults[0].run, "predictions");
  EXPECT_EQ(result.faults[0].file, "hero.json");
  EXPECT_NE(result.faults[0].what.find("was edited after it was registered"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
