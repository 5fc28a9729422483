// A result that could not be written is no success: a full disk behind `> laws.json`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

TEST(LostOutput, EndsEveryProgramWithOne) {
  const TempDir temp;
  const std::string data = (temp.path() / "data").string();
  const std::string sweep = (temp.path() / "s.yaml").string();
  write_tiny_data_set(data);
  std::ofstream(sweep) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                          "horizon: {tokens: 640}\ntrain: {batch_tokens: 64}\n"
                          "model: {n_ctx: 16, d_model: 8, n_head: 2}\nevaluate: {tokens: 64}\n";
  const std::vector<std::vector<std::string>> commands = {
      {"explain"},
      {"version"},
      {"help"},
      {"sweep", "--help"},
      {"data", "list", "--data", data},
      {"sweep", "plan", sweep, "--data", data},
      {"sweep", "status", sweep, "--data", data, "--json"},
      {"sweep", "watch", sweep, "--data", data},
      {"fit", "--help"},
      {"bench", "--layers", "1", "--width", "8", "--context", "8", "--steps", "1", "--json"},
  };
  for (const std::vector<std::string>& words : commands) {
    std::vector<std::string> argv = {"scalelaw"};
    argv.insert(argv.end(), words.begin(), words.end());
    EXPECT_EQ(wait_for(start_program(argv, temp.path() / "out")).exit_code, 0) << words[0];
    EXPECT_EQ(wait_for(start_program(argv, "/dev/full")).exit_code, 1) << words[0];
  }
}

// Runs `scalelaw WORDS` with an output whose reader has gone before the first word; its exit code
// and errors come to lie in `place`.
void run_without_reader(const std::filesystem::path& place, const std::vector<std::string>& words) {
  std::vector<std::string> argv = {
      "/bin/sh", "-c",
      "place=$0; { sleep 0.2; \"$@\" 2>\"$place/err\"; echo $? >\"$place/code\"; } | true",
      place.string(), (std::filesystem::path(SCALELAW_BIN_DIR) / "scalelaw").string()};
  argv.insert(argv.end(), words.begin(), words.end());
  const ProgramResult result = run_program(argv);
  ASSERT_EQ(result.exit_code, 0) << result.output;
}

// `| head`: it has what it wanted, and no word of a fault is due.
TEST(LostOutput, IsNoFaultWhereItsReaderHasGone) {
  const TempDir temp;
  for (const char* verb : {"explain", "version", "help"}) {
    run_without_reader(temp.path(), {verb});
    EXPECT_EQ(read_whole_file(temp.path() / "err"), "") << verb;
    EXPECT_EQ(read_whole_file(temp.path() / "code"), "1\n") << verb;
  }
}

TEST(LostOutput, WithoutAReaderTakesNothingFromWhatIsOnDisk) {
  const TempDir temp;
  const std::string data = (temp.path() / "data").string();
  std::ofstream(temp.path() / "text.txt") << "A text of one document.\n";
  run_without_reader(temp.path(), {"data", "build", (temp.path() / "text.txt").string(), "--name",
                                   "text", "--tokenizer", "bytes", "--val", "0", "--test", "0",
                                   "--data", data, "--quiet"});
  EXPECT_EQ(read_whole_file(temp.path() / "err"), "");
  EXPECT_EQ(read_whole_file(temp.path() / "code"), "0\n");
}

}  // namespace
}  // namespace scalelaw
