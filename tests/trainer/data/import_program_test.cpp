#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/foreign_files.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/data/data_set.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Files as their own writers make them: NumPy, and the layouts of llm.c, nanoGPT and Megatron in
// NumPy's and struct's words.
constexpr const char* kWriteAll = R"(
import struct, sys
import numpy as np
folder = sys.argv[1]
ids = (np.arange(20000) * 7919) % 50256
ids[49::50] = 50256
np.save(f"{folder}/u2.npy", ids.astype(np.uint16))
np.save(f"{folder}/i8.npy", ids.astype(np.int64))
with open(f"{folder}/v2.npy", "wb") as f:
    np.lib.format.write_array(f, ids.astype(np.int32), version=(2, 0))
with open(f"{folder}/v3.npy", "wb") as f:
    np.lib.format.write_array(f, ids.astype(np.uint32), version=(3, 0))
ids.astype(np.uint16).tofile(f"{folder}/nanogpt.bin")
header = np.zeros(256, dtype=np.int32)
header[:3] = 20240520, 1, len(ids)
with open(f"{folder}/llm_c.bin", "wb") as f:
    f.write(header.tobytes()); f.write(ids.astype(np.uint16).tobytes())
lengths = [50] * 400
with open(f"{folder}/meg.idx", "wb") as f:
    f.write(b"MMIDIDX\x00\x00"); f.write(struct.pack("<Q", 1)); f.write(struct.pack("<B", 4))
    f.write(struct.pack("<Q", 400)); f.write(struct.pack("<Q", 401))
    f.write(np.array(lengths, dtype=np.int32).tobytes())
    f.write((np.arange(400, dtype=np.int64) * 200).tobytes())
    f.write(np.arange(401, dtype=np.int64).tobytes())
ids.astype(np.int32).tofile(f"{folder}/meg.bin")
np.save(f"{folder}/two.npy", np.asfortranarray(ids.reshape(100, 200)))
np.save(f"{folder}/objects.npy", np.array([None]), allow_pickle=True)
)";

class ImportProgramTest : public testing::Test {
 protected:
  ProgramResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "scalelaw-data");
    arguments.insert(arguments.end(), {"--data", (temp_.path() / "data").string()});
    return run_program(arguments);
  }
  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }

  TempDir temp_;
};

TEST_F(ImportProgramTest, FilesOfTheirOwnWritersGiveOneSetOfIds) {
  const std::string python = std::string(SCALELAW_SOURCE_DIR) + "/.venv/bin/python";
  if (!fs::exists(python) || run_program({python, "-c", "import numpy"}).exit_code != 0) {
    GTEST_SKIP() << python << " has no numpy (scripts/setup.sh --checks)";
  }
  const ProgramResult written = run_program({python, "-c", kWriteAll, temp_.path().string()});
  ASSERT_EQ(written.exit_code, 0) << written.output;
  nlohmann::json first;
  int made = 0;
  for (const std::string file :
       {"u2.npy", "i8.npy", "v2.npy", "v3.npy", "nanogpt.bin", "llm_c.bin", "meg"}) {
    const ProgramResult result =
        run({"import", in(file), "--name", "set" + std::to_string(made++), "--vocab-size", "50257",
             "--tokenizer", "name:gpt2", "--eod", "50256", "--json", "--quiet"});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    const auto splits = nlohmann::json::parse(result.output)["splits"];
    if (first.is_null()) first = splits;
    EXPECT_EQ(splits, first) << file;
  }
  EXPECT_EQ(run({"verify"}).exit_code, 0);
  EXPECT_EQ(run({"import", in("two.npy"), "--name", "x", "--vocab-size", "50257"}).exit_code, 2);
  EXPECT_EQ(run({"import", in("objects.npy"), "--name", "x", "--vocab-size", "9"}).exit_code, 2);
}

TEST_F(ImportProgramTest, SaysWhatIsNotKnownOfTheIds) {
  std::vector<uint16_t> ids(5000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint16_t>(i % 500);
  put_bytes(in("ids.bin"), packed<uint16_t>(ids));
  const ProgramResult result =
      run({"import", in("ids.bin"), "--name", "ids", "--vocab-size", "500", "--quiet"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const std::string part :
       {"tokenizer name:ids, 500 ids", "shares were cut off by blocks", "known by name alone",
        "bytes of text are not known for every split", "dropped: nothing"}) {
    EXPECT_NE(result.output.find(part), std::string::npos) << part << "\n" << result.output;
  }
  EXPECT_NE(run({"inspect", "ids"}).output.find("train piece 0 (4800 tokens): 0 1 2 3"),
            std::string::npos);
  EXPECT_EQ(run({"list"}).output, "ids  name:ids  train 4.8k  val 100  test 100 tokens\n");

  const ProgramResult given = run({"import", in("ids.bin"), "--name", "given", "--vocab-size",
                                   "500", "--bytes", "test=400", "--quiet"});
  EXPECT_NE(given.output.find("4.000"), std::string::npos) << given.output;
  const ProgramResult behind = run({"import", "--bytes", "test=400", in("ids.bin"), "--name",
                                    "behind", "--vocab-size", "500", "--quiet"});
  EXPECT_EQ(behind.exit_code, 0) << "a source behind the option: " << behind.output;
}

// Documents 1 2 3, 4 5 and again 1 2 3 in train, 4 5 in test.
TEST_F(ImportProgramTest, InspectingCountsRepeatsWhereTheEndsOfDocumentsWereTold) {
  const auto import = [&](const std::string& name, const std::vector<int>& train,
                          const std::vector<int>& test, const std::vector<std::string>& mark) {
    put_bytes(in("train.bin"), packed<uint16_t>(train));
    put_bytes(in("test.bin"), packed<uint16_t>(test));
    std::vector<std::string> words = {
        "import", in("train.bin"), "--val", "0",       "--test", in("test.bin"), "--name",
        name,     "--vocab-size",  "10",    "--dtype", "u16",    "--quiet"};
    words.insert(words.end(), mark.begin(), mark.end());
    const ProgramResult result = run(words);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return run({"inspect", name});
  };
  const auto content = [&](const std::string& name) {
    return nlohmann::json::parse(run({"inspect", name, "--json"}).output)["inspection"]["splits"];
  };
  const ProgramResult behind =
      import("behind", {1, 2, 3, 9, 4, 5, 9, 1, 2, 3, 9}, {6, 7, 9}, {"--eod", "9"});
  EXPECT_NE(behind.output.find(" 33.33%\n"), std::string::npos) << behind.output;
  EXPECT_NE(behind.output.find("; 0 pieces whole"), std::string::npos) << behind.output;
  import("before", {9, 1, 2, 3, 9, 4, 5, 9, 1, 2, 3}, {9, 6, 7}, {"--bod", "9"});
  for (const char* name : {"behind", "before"}) {
    EXPECT_EQ(content(name)["train"]["pieces"], 3) << name;
    EXPECT_EQ(content(name)["train"]["repeated_pieces"], 1) << name;
    EXPECT_EQ(content(name)["train"]["tokens"], 8) << name;
  }
  for (const char* name : {"behind", "before"}) {
    const std::string said = run({"inspect", name, "--samples", "2"}).output;
    EXPECT_NE(said.find("train piece 0 (3 tokens): 1 2 3\ntrain piece 1 (2 tokens): 4 5\n"
                        "test piece 0 (2 tokens): 6 7\n"),
              std::string::npos)
        << said;
  }
  const ProgramResult unknown = import("unknown", {1, 2, 3, 9, 1, 2, 3, 9}, {6, 7, 9}, {});
  EXPECT_NE(
      unknown.output.find("train piece 0 (8 tokens): 1 2 3 9 1 2 3 9\ntest piece 0 (3 tokens): "
                          "6 7 9\nwhich id parts documents is not known"),
      std::string::npos)
      << unknown.output;
  EXPECT_EQ(unknown.output.find("pieces whole"), std::string::npos) << unknown.output;
  EXPECT_TRUE(content("unknown")["train"]["repeated_pieces"].is_null());
  EXPECT_TRUE(content("unknown")["train"]["pieces"].is_null());
}

TEST_F(ImportProgramTest, BytesOfTrainAreRefusedWhereTrainIsNotAllOfItsSources) {
  std::vector<int> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(i % 10 == 9 ? 150 : i / 10 + i % 2);
  put_bytes(in("ids.bin"), packed<uint16_t>(ids));
  put_bytes(in("held.bin"), packed<uint16_t>(std::vector<int>(ids.begin(), ids.begin() + 10)));
  const auto import = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"import",  in("ids.bin"), "--name", "x",     "--vocab-size",
                                      "200",     "--val",       "0",      "--eod", "150",
                                      "--bytes", "train=5000",  "--quiet"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  for (const std::string& test : {std::string("10%"), in("held.bin")}) {
    const ProgramResult result = import({"--test", test});
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find("--bytes train=5000: "), std::string::npos) << result.output;
    EXPECT_FALSE(fs::exists(temp_.path() / "data"));
  }
  EXPECT_EQ(import({"--test", "0"}).exit_code, 0);
}

TEST_F(ImportProgramTest, AnImportThatWasStoppedOrKilledIsMadeAnewByTheSameCommand) {
  std::vector<uint16_t> ids(32'000'000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<uint16_t>(i * 7919 % 50'021);
  put_bytes(in("ids.bin"), packed<uint16_t>(ids));
  const auto words = [&](const std::string& name) {
    return std::vector<std::string>{"import",       in("ids.bin"), "--name",      name,
                                    "--dtype",      "u16",         "--tokenizer", "name:gpt2",
                                    "--vocab-size", "50257",       "--quiet"};
  };
  ASSERT_EQ(run(words("whole")).exit_code, 0);
  const fs::path draft = temp_.path() / "data" / ".ids.build";
  for (const int signal : {SIGINT, SIGKILL}) {
    fs::remove_all(draft);
    std::vector<std::string> command = words("ids");
    command.insert(command.begin(), "scalelaw-data");
    command.insert(command.end(), {"--data", (temp_.path() / "data").string()});
    const pid_t import = start_program(command, in("output"));
    for (int i = 0; i < 20'000 && !fs::exists(draft); ++i) usleep(1000);
    kill(import, signal);
    const ProgramResult ended = wait_for(import);
    EXPECT_EQ(ended.exit_code, signal == SIGINT ? 3 : -1) << read_whole_file(in("output"));
    EXPECT_EQ(ended.signal, signal == SIGINT ? 0 : SIGKILL);
    EXPECT_FALSE(fs::exists(temp_.path() / "data" / "ids"));
  }
  EXPECT_TRUE(fs::exists(draft)) << "what was killed leaves";
  const ProgramResult again = run(words("ids"));
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_FALSE(fs::exists(draft));
  const DataSetInfo whole = open_data_set(temp_.path() / "data", "whole");
  for (const auto& [split, info] : open_data_set(temp_.path() / "data", "ids").splits) {
    EXPECT_EQ(info.token_hash, whole.splits.at(split).token_hash) << name(split);
  }
  EXPECT_EQ(run({"verify", "ids"}).output, "ids: whole\n");
}

TEST_F(ImportProgramTest, BadInputEndsWithTwoOneMessageAndNothingWritten) {
  put_bytes(in("ids.bin"), packed<uint16_t>(std::vector<int>(1000, 7)));
  const std::string ids = in("ids.bin");
  const std::vector<std::vector<std::string>> bad = {
      {ids},
      {ids, "--name", "x"},
      {ids, "--name", "x", "--vocab-size", "7"},
      {ids, "--name", "x", "--vocab-size", "0"},
      {ids, "--name", "x", "--vocab-size", "9", "--dtype", "f4"},
      {ids, "--name", "x", "--vocab-size", "9", "--dtype", ""},
      {ids, "--name", "x", "--vocab-size", "9", "--eod", "-1"},
      {ids, "--name", "x", "--vocab-size", "9", "--eod", "7", "--bod", "7"},
      {ids, "--name", "x", "--vocab-size", "9", "--val", "60%", "--test", "60%"},
      {ids, "--name", "x", "--vocab-size", "9", "--test", "nowhere.bin"},
      {ids, "--name", "x", "--vocab-size", "9", "--bytes", "test"},
      {ids, "--name", "x", "--vocab-size", "9", "--bytes", "tset=9"},
      {ids, "--name", "x", "--vocab-size", "9", "--bytes", "test=9", "--bytes", "test=9"},
      {ids, "--name", "x", "--tokenizer", "set:nothing"},
      {temp_.path().string(), "--name", "x", "--vocab-size", "9"},
      {"--name", "x", "--vocab-size", "9"}};
  for (std::vector<std::string> arguments : bad) {
    arguments.insert(arguments.begin(), "import");
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments.back() << ": " << result.output;
    EXPECT_FALSE(result.output.empty());
    EXPECT_FALSE(fs::exists(temp_.path() / "data"));
  }
}

}  // namespace
}  // namespace scalelaw
