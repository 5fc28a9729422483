// A result that could not be written is no success: a full disk behind `> laws.json`.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"

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

}  // namespace
}  // namespace scalelaw
