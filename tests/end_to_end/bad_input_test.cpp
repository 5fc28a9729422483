// What a user gets wrong, at the programs themselves: one message that says what to mend, exit 2,
// and not a file more than before.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/run_lock.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class BadInput : public testing::Test {
 protected:
  BadInput() { write_tiny_data_set(temp_.path() / "data"); }

  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  void put(const std::string& name, const std::string& text) const {
    std::ofstream(in(name), std::ios::binary) << text;
  }
  // Every file with its size and time.
  std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> tree() const {
    std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> files;
    for (const auto& entry : fs::recursive_directory_iterator(temp_.path())) {
      files[entry.path()] = {entry.is_regular_file() ? entry.file_size() : 0,
                             entry.last_write_time()};
    }
    return files;
  }
  // Ends with 2, says each of `parts`, and leaves the folder as it was.
  void expect_refused(const std::vector<std::string>& words,
                      const std::vector<std::string>& parts) const {
    const auto before = tree();
    std::vector<std::string> argv = {"scalelaw"};
    argv.insert(argv.end(), words.begin(), words.end());
    const ProgramResult result = run_program(argv);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos)
          << "looked for \"" << part << "\" in:\n"
          << result.output;
    }
    EXPECT_EQ(tree(), before) << words[0] << ": something was written";
  }
  void expect_run_refused(const std::string& yaml, const std::vector<std::string>& parts) const {
    put("run.yaml", yaml);
    expect_refused(
        {"train", in("run.yaml"), "--runs", in("runs"), "--data", in("data"), "--device", "cpu"},
        parts);
  }

  TempDir temp_;
};

const std::string kGood =
    "spec: 1\n"
    "data: {train: tiny, test: {tiny: 512}}\n"
    "horizon: {tokens: 640}\n"
    "train: {batch_tokens: 64}\n"
    "evaluate: {tokens: 64}\n";
const std::string kModel = "model: {n_layer: 1, d_model: 8, n_head: 2, n_ctx: 16}\n";

TEST_F(BadInput, TheConfigurationTheseVaryIsGood) {
  put("run.yaml", kGood + kModel);
  const ProgramResult result = run_program({"scalelaw-train", "train", in("run.yaml"), "--runs",
                                            in("runs"), "--data", in("data"), "--device", "cpu"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
}

TEST_F(BadInput, UnknownKeyNamesFileLineAndTheNearestKey) {
  expect_run_refused(kGood + kModel + "seeds: {int: 2}\n",
                     {"run.yaml", "7", "seeds.int", "seeds.init"});
}

TEST_F(BadInput, DuplicateKeyIsRefused) {
  expect_run_refused(kGood + kModel + "horizon: {tokens: 1280}\n", {"run.yaml", "horizon"});
}

TEST_F(BadInput, ValueOutsideItsRuleNamesKeyAndValue) {
  expect_run_refused(kGood + kModel + "seeds: {init: one}\n", {"seeds.init", "one"});
}

TEST_F(BadInput, ImpossibleShapeNamesTheRule) {
  expect_run_refused(kGood + "model: {n_layer: 1, d_model: 8, n_head: 3, n_ctx: 16}\n",
                     {"model.n_head", "3", "8"});
}

TEST_F(BadInput, BatchThatIsNoMultipleOfTheContextIsRefused) {
  expect_run_refused(kGood + "model: {n_layer: 1, d_model: 8, n_head: 2, n_ctx: 24}\n",
                     {"train.batch_tokens", "64", "24"});
}

TEST_F(BadInput, MissingDataSetNamesTheNearestOne) {
  expect_run_refused(kModel + "spec: 1\ndata: {train: tinny}\n", {"tinny", "tiny"});
}

TEST_F(BadInput, MoreTestTokensThanThereAreIsRefused) {
  expect_run_refused(
      "spec: 1\ndata: {train: tiny, test: {tiny: 1M}}\ntrain: {batch_tokens: 64}\n" + kModel,
      {"data.test.tiny", "1000000", "1024"});
}

TEST_F(BadInput, DataSmallerThanABatchIsRefused) {
  expect_run_refused(
      "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\n"
      "train: {batch_tokens: 8192}\nevaluate: {tokens: 64}\n" +
          kModel,
      {"8192"});
}

TEST_F(BadInput, ShardCutShortOrWithAFlippedByteIsRefused) {
  fs::path shard;
  for (const auto& entry : fs::directory_iterator(temp_.path() / "data/tiny")) {
    if (entry.path().filename().string().starts_with("train")) shard = entry.path();
  }
  ASSERT_FALSE(shard.empty());
  const std::string whole = read_whole_file(shard);
  std::ofstream(shard, std::ios::binary) << whole.substr(0, whole.size() - 5);
  expect_run_refused(kGood + kModel, {shard.filename().string()});
  std::string flipped = whole;
  flipped[flipped.size() - 9] = static_cast<char>(flipped[flipped.size() - 9] ^ 1);
  std::ofstream(shard, std::ios::binary) << flipped;
  expect_run_refused(kGood + kModel, {shard.filename().string()});
}

TEST_F(BadInput, FolderThatCannotBeWrittenIsRefused) {
  put("run.yaml", kGood + kModel);
  expect_refused(
      {"train", in("run.yaml"), "--runs", "/proc/runs", "--data", in("data"), "--device", "cpu"},
      {"/proc/runs"});
}

TEST_F(BadInput, SecondProcessOnARunIsRefused) {
  put("run.yaml", kGood + kModel);
  const std::vector<std::string> words = {"train",  in("run.yaml"), "--runs",   in("runs"),
                                          "--data", in("data"),     "--device", "cpu"};
  std::vector<std::string> argv = {"scalelaw"};
  argv.insert(argv.end(), words.begin(), words.end());
  ASSERT_EQ(run_program(argv).exit_code, 0);
  const fs::path folder = fs::directory_iterator(in("runs"))->path();
  fs::remove(folder / "run.json");  // no longer complete
  const RunLock held(folder);
  expect_refused(words, {"pid"});
}

TEST_F(BadInput, GpuThatIsNotThereIsRefused) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "a GPU is here";
  put("run.yaml", kGood + kModel);
  expect_refused(
      {"train", in("run.yaml"), "--runs", in("runs"), "--data", in("data"), "--device", "cuda"},
      {"no GPU", "--device cpu"});
}

TEST_F(BadInput, TextThatIsEmptyNotUtf8OrNotThereIsRefused) {
  put("empty.txt", "");
  put("latin1.txt", "caf\xe9 au lait\n");
  for (const char* name : {"empty.txt", "latin1.txt", "missing.txt"}) {
    expect_refused({"data", "build", in(name), "--name", "x", "--tokenizer", "bytes", "--data",
                    in("data"), "--quiet"},
                   {name});
  }
}

TEST_F(BadInput, SweepThatNamesWhatIsNotThereIsRefused) {
  put("sweep.yaml",
      "spec: 1\nname: s\narms: {a: {model: {arch: lstm}}}\n"
      "blocks: [{name: b, arms: [c], grid: {model.d_model: [4]}}]\n");
  expect_refused({"sweep", "run", in("sweep.yaml"), "--runs", in("runs"), "--data", in("data")},
                 {"sweep.yaml", "c"});
  expect_refused({"sweep", "run", in("none.yaml"), "--runs", in("runs"), "--data", in("data")},
                 {"none.yaml"});
}

TEST_F(BadInput, ReportOnNothingIsRefused) {
  expect_refused({"report", in("runs/sweeps/none.json"), "--out", in("report")}, {"none.json"});
}

}  // namespace
}  // namespace scalelaw
