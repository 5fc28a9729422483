// What a user gets wrong, at the programs themselves: one line that says what to mend, exit 2, and
// not a file more than before. Checkpoints and records that are damaged: damage_test.cpp.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/small_corpus.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/run_lease.h"

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
  // Every folder, and every file with its size and time. (A folder's time moves when something was
  // made in it and taken away again.)
  std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> tree() const {
    std::map<std::string, std::pair<uintmax_t, fs::file_time_type>> files;
    for (const auto& entry : fs::recursive_directory_iterator(temp_.path())) {
      auto& file = files[entry.path()];
      if (entry.is_regular_file()) file = {entry.file_size(), entry.last_write_time()};
    }
    return files;
  }
  // Ends with 2, says each of `parts` in one line of the one form, leaves the folder as it was.
  void expect_refused(const std::vector<std::string>& words,
                      const std::vector<std::string>& parts) const {
    const auto before = tree();
    std::vector<std::string> argv = {"scalelaw"};
    argv.insert(argv.end(), words.begin(), words.end());
    const ProgramResult result = run_program(argv);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_TRUE(result.output.starts_with("scalelaw " + words[0] + ": error: ")) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos)
          << "looked for \"" << part << "\" in:\n"
          << result.output;
    }
    EXPECT_EQ(tree(), before) << words[0] << ": something was written";
  }
  std::vector<std::string> train_words(const std::string& device = "cpu") const {
    return {"train",  in("run.yaml"), "--runs",   in("runs"),
            "--data", in("data"),     "--device", device};
  }
  void expect_run_refused(const std::string& yaml, const std::vector<std::string>& parts) const {
    put("run.yaml", yaml);
    expect_refused(train_words(), parts);
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
                     {"line 7 of ", "run.yaml: seeds.int = 2: unknown key", "seeds.init"});
}

TEST_F(BadInput, KeyInTheWrongSectionGetsTheRightOne) {
  expect_run_refused(kGood + kModel + "seeds: {learning_rat: 2}\n",
                     {"line 7 of ", "unknown key; did you mean train.learning_rate?"});
}

TEST_F(BadInput, NumberTooLargeIsCalledSo) {
  expect_run_refused(kGood + kModel + "seeds: {init: 9e18}\n",
                     {"line 7 of ", "seeds.init = 9e18: too large; at most 9007199254740991"});
}

TEST_F(BadInput, SweepFileGivenToTrainNamesTheSweepsCommand) {
  expect_run_refused(
      kGood + kModel + "name: s\nblocks: [{name: b, list: [{seeds.init: 2}]}]\n",
      {"line 7 of ", "only a sweep file has it", "`scalelaw sweep run " + in("run.yaml") + "`"});
}

TEST_F(BadInput, SettingGivenTwiceIsRefused) {
  put("run.yaml", kGood + kModel);
  std::vector<std::string> words = train_words();
  words.insert(words.end(), {"--set", "seeds.init=1", "--set", "seeds.init=2"});
  expect_refused(words, {"--set seeds.init=2: is set twice, first by --set seeds.init=1"});
}

TEST_F(BadInput, FileThatIsNoYamlOrNoUtf8NamesLineAndPlace) {
  expect_run_refused(kGood + "model: {n_layer: 1\n", {"line 6 of ", "this { is not closed"});
  expect_run_refused(kGood + kModel + "---\nspec: 1\n", {"line 7 of ", "a second YAML document"});
  expect_run_refused(kGood + "model:\n\tn_layer: 1\n", {"line 7 of ", "a tab indents"});
  expect_run_refused(kGood + kModel + "# caf\xe9\n",
                     {"line 7 of ", "byte 6 of the line (0xe9) is not UTF-8"});
  put("sweep.yaml", "spec: 1\nname: s\n# caf\xe9\n");
  expect_refused({"sweep", "plan", in("sweep.yaml")}, {"line 3 of ", "(0xe9) is not UTF-8"});
}

TEST_F(BadInput, DuplicateKeyIsRefused) {
  expect_run_refused(kGood + kModel + "horizon: {tokens: 1280}\n",
                     {"line 7 of ", "horizon = {...}: is set twice"});
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
  expect_run_refused(kModel + "spec: 1\ndata: {train: tinny}\n",
                     {"line 3 of ", "run.yaml: data.train = tinny: ", "\"tiny\""});
}

TEST_F(BadInput, MoreTestTokensThanThereAreIsRefused) {
  expect_run_refused(
      "spec: 1\ndata: {train: tiny, test: {tiny: 1M}}\ntrain: {batch_tokens: 64}\n" + kModel,
      {"line 2 of ", "run.yaml: data.test.tiny = 1M: ", "1008 tokens"});
}

TEST_F(BadInput, DataSmallerThanABatchIsRefused) {
  expect_run_refused(
      "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\n"
      "train: {batch_tokens: 8192}\nevaluate: {tokens: 64}\n" +
          kModel,
      {"line 3 of ", "run.yaml: train.batch_tokens = 8192: ", "4096 tokens"});
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
  const std::vector<std::string> words = train_words();
  std::vector<std::string> argv = {"scalelaw"};
  argv.insert(argv.end(), words.begin(), words.end());
  ASSERT_EQ(run_program(argv).exit_code, 0);
  const fs::path folder = fs::directory_iterator(in("runs"))->path();
  fs::remove(folder / "run.json");  // no longer complete
  const RunLease held(folder);
  expect_refused(words, {"pid"});
}

TEST_F(BadInput, StoreThatCanBeNoFolderIsRefusedWithItsRemedy) {
  const TempDir elsewhere;
  const fs::path link = elsewhere.path() / "link", loop = elsewhere.path() / "loop";
  fs::create_symlink("gone", link);
  fs::create_symlink("loop", loop);
  put("run.yaml", kGood + kModel);
  put("sweep.yaml", kGood + kModel + "name: s\n");
  const std::map<std::string, std::string> faults = {
      {link.string(), "link is a link to nothing"},
      {loop.string(), "loop is a link to itself"},
      {in(std::string(300, 'r')), "File name too long"}};
  for (const auto& [store, fault] : faults) {
    const std::vector<std::string> places = {"--runs", store, "--data", in("data")};
    for (std::vector<std::string> words :
         {std::vector<std::string>{"train", in("run.yaml")}, {"sweep", "run", in("sweep.yaml")}}) {
      words.insert(words.end(), places.begin(), places.end());
      expect_refused(words, {fault, "choose a folder that can be written with --runs"});
    }
  }
}

TEST_F(BadInput, GpuThatIsNotThereIsRefused) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "a GPU is here";
  put("run.yaml", kGood + kModel);
  expect_refused(train_words("cuda"), {"no GPU", "--device cpu"});
}

// A job that was given a GPU on a machine whose GPU does not answer: never quietly the CPU.
TEST_F(BadInput, GpuThatCannotBeUsedIsRefusedWithTheDriverThatIsNeeded) {
  if (fs::exists("/dev/nvidia0")) GTEST_SKIP() << "a GPU is here";
  put("run.yaml", kGood + kModel);
  setenv("SLURM_JOB_GPUS", "0", 1);
  expect_refused(train_words("auto"),
                 {"allotted to this job and cannot be used", "driver needed: 580", "--device cpu"});
  unsetenv("SLURM_JOB_GPUS");
}

TEST_F(BadInput, MemoryThatDoesNotSufficeIsSaidInOneLineWithARemedy) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the sanitizer's allocator ends the program itself";
#endif
  const ProgramResult result = run_program(
      {"scalelaw", "bench", "--batch", "100000000000", "--context", "1024", "--device", "cpu"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(result.output.starts_with("scalelaw bench: error: memory does not suffice for "))
      << result.output;
  EXPECT_NE(result.output.find("a smaller --batch"), std::string::npos) << result.output;
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
}

TEST_F(BadInput, TestSetOfAnotherTokenizerIsRefused) {
  TinyDataSet foreign;
  foreign.name = "foreign";
  foreign.tokenizer_hash = std::string(32, 'b');
  write_tiny_data_set(temp_.path() / "data", foreign);
  expect_run_refused("spec: 1\ndata: {train: tiny, test: {foreign: 512}}\n" + kModel,
                     {"line 2 of ", "run.yaml: data.test.foreign = 512: ", "another tokenizer",
                      "--tokenizer set:tiny"});
}

TEST_F(BadInput, TokenizerThatIsGoneOrDamagedIsRefused) {
  write_small_corpus(in("tales.jsonl"), 200, 1);
  const ProgramResult built =
      run_program({"scalelaw", "data", "build", in("tales.jsonl"), "--name", "tales", "--tokenizer",
                   "bpe:300", "--test", "10%", "--data", in("data"), "--quiet"});
  ASSERT_EQ(built.exit_code, 0) << built.output;
  const fs::path model = temp_.path() / "data/tales/tokenizer.model";
  std::string bytes = read_whole_file(model);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  std::ofstream(model, std::ios::binary) << bytes;
  const std::string yaml = "spec: 1\ndata: {train: tales, test: {tales: 512}}\n" + kModel;
  expect_run_refused(yaml, {"line 2 of ", "data.train = tales", "tokenizer.model",
                            "not the tokenizer that the set's tokens were made by"});
  fs::remove(model);
  expect_run_refused(yaml, {"tokenizer.model: is not there", "build the set again"});
}

TEST_F(BadInput, DataFolderThatCannotBeWrittenIsRefusedBeforeTheTextIsRead) {
  put("text.txt", "caf\xe9\n");  // which would be refused as well, but later
  expect_refused({"data", "build", in("text.txt"), "--name", "x", "--data", "/proc/data"},
                 {"--data /proc/data", "/proc cannot be written"});
}

TEST_F(BadInput, CommandLineThatIsNoneNamesTheWordAndTheHelp) {
  expect_refused({"train"}, {"config is required", "`scalelaw train --help`"});
  expect_refused({"train", in("none.yaml")}, {"none.yaml"});
  expect_refused({"bench", "--position", "absolute"},
                 {"--position absolute: must be rotary or learned"});
  expect_refused({"bench", "--width", "10", "--heads", "3"}, {"--heads: must divide"});
  expect_refused({"bench", "--embeddings", "shared"},
                 {"--embeddings shared: must be tied or untied"});
  expect_refused({"bench", "--d-ff-ratio", "2.501"},
                 {"--d-ff-ratio: times model.d_model = 128 must"});
  expect_refused({"profile", "--trace", in("")}, {"is no file"});
  expect_refused({"profile", "--trace", in("none/trace.json")},
                 {"--trace " + in("none/trace.json") + ": cannot be written: No such file"});
  expect_refused({"sweep", "plan", "--nothing"}, {"`scalelaw sweep --help`"});
  expect_refused({"fit"}, {"runs is required", "`scalelaw fit --help`"});
  expect_refused({"data", "verify", "--data"}, {"--data", "`scalelaw data --help`"});
}

TEST_F(BadInput, EmptyFolderOnTheCommandLineIsRefusedByEveryVerb) {
  put("run.yaml", kGood + kModel);
  const std::vector<std::vector<std::string>> commands = {
      {"train", in("run.yaml"), "--data", in("data"), "--runs"},
      {"sweep", "plan", in("run.yaml"), "--runs"},
      {"sweep", "run", in("run.yaml"), "--runs"},
      {"sweep", "status", in("run.yaml"), "--runs"},
      {"sweep", "watch", in("run.yaml"), "--runs"},
      {"doctor", "--runs"},
      {"data", "list", "--data"},
      {"report", in("runs"), "--out"},
  };
  for (std::vector<std::string> words : commands) {
    const std::string option = words.back();
    words.emplace_back();
    expect_refused(words, {option + " \"\": is empty; . is this folder"});
  }
}

TEST_F(BadInput, NumberOnTheCommandLineNamesItsOptionAndRange) {
  const std::string spec = in("s.yaml");
  const std::vector<std::vector<std::string>> commands = {
      {"train", in("run.yaml"), "--threads", "-1"},
      {"train", in("run.yaml"), "--share-machine", "2", "--share-gpu", "3"},
      {"bench", "--threads", "-1"},
      {"bench", "--vocab", "0"},
      {"bench", "--steps", "0"},
      {"bench", "--width", "wide"},
      {"bench", "--vocab", "99999999999999999999"},
      {"sweep", "run", spec, "--retries", "-1"},
      {"sweep", "plan", spec, "--cores", "-1"},
      {"fit", in("runs"), "--seed", "-1"},
      {"data", "inspect", "tiny", "--samples", "-1"},
  };
  for (const std::vector<std::string>& words : commands) {
    const std::string& option = words[words.size() - 2];
    expect_refused(words, {option + " " + words.back() + ": "});
  }
  const ProgramResult zero = run_program({"scalelaw", "bench", "--threads", "0", "--layers", "1",
                                          "--width", "8", "--steps", "1e0", "--context", "8"});
  EXPECT_EQ(zero.exit_code, 0) << zero.output;
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

TEST_F(BadInput, SweepFindsWhatTheDataLackAtItsLine) {
  put("sweep.yaml", kGood +
                        "name: s\nblocks:\n  - {name: b, train.batch_tokens: 8192, "
                        "horizon.tokens: 8192}\n" +
                        kModel);
  expect_refused({"sweep", "run", in("sweep.yaml"), "--runs", in("runs"), "--data", in("data")},
                 {"line 8 of ", "train.batch_tokens = 8192", "4096 tokens", "block b"});
}

TEST_F(BadInput, OutputFolderThatCannotBeWrittenIsRefusedBeforeTheAnalysis) {
  put("file", "");
  for (const char* verb : {"report", "figures"}) {
    expect_refused({verb, in("none.json"), "--out", "/proc/out"},
                   {"--out /proc/out: ", "/proc cannot be written"});
    expect_refused({verb, in("none.json"), "--out", in("file")}, {"--out ", "is not a folder"});
  }
}

TEST_F(BadInput, ReportOnNothingIsRefused) {
  expect_refused({"report", in("runs/sweeps/none.json"), "--out", in("report")}, {"none.json"});
}

}  // namespace
}  // namespace scalelaw
