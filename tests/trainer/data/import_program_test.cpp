#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/foreign_files.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

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
