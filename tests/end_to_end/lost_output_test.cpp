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

// `| head`: it has what it wanted, and no word of a fault is due. Here it has gone before the
// first.
TEST(LostOutput, IsNoFaultWhereItsReaderHasGone) {
  const TempDir temp;
  const std::filesystem::path program = std::filesystem::path(SCALELAW_BIN_DIR) / "scalelaw";
  for (const char* verb : {"explain", "version", "help"}) {
    const ProgramResult result = run_program(
        {"/bin/sh", "-c", "{ sleep 0.2; \"$0\" \"$1\" 2>\"$2/err\"; echo $? >\"$2/code\"; } | true",
         program.string(), verb, temp.path().string()});
    ASSERT_EQ(result.exit_code, 0) << result.output;
    EXPECT_EQ(read_whole_file(temp.path() / "err"), "") << verb;
    EXPECT_EQ(read_whole_file(temp.path() / "code"), "1\n") << verb;
  }
}

}  // namespace
}  // namespace scalelaw
