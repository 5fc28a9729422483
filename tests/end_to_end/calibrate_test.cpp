// `scalelaw sweep plan --calibrate` with the trainer itself.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"

namespace scalelaw {
namespace {

TEST(Calibrate, HoursOfATinySweepAreMeasuredAndUsedByTheNextPlan) {
  const TempDir temp;
  write_tiny_data_set(temp.path() / "data");
  const std::filesystem::path spec = temp.path() / "s.yaml";
  std::ofstream(spec) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                         "horizon: {tokens: 12800}\nevaluate: {tokens: 64}\n"
                         "model: {n_layer: 1, n_head: 2, n_ctx: 16, embeddings: untied}\n"
                         "train: {batch_tokens: 64}\n"
                         "blocks: [{name: b, grid: {model.d_model: [16, 32, 64]}}]\n";
  set_cache_home(temp.path() / "cache");
  const auto plan = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"scalelaw-sweep",
                                      "plan",
                                      spec.string(),
                                      "--data",
                                      (temp.path() / "data").string(),
                                      "--runs",
                                      (temp.path() / "runs").string(),
                                      "--device",
                                      "cpu",
                                      "--jobs=2"};
    words.insert(words.end(), more.begin(), more.end());
    const ProgramResult result = run_program(words);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return result.output;
  };
  const std::string before = plan({"--json"});
  EXPECT_TRUE(nlohmann::json::parse(before).at("hours_source").is_null());
  // Time enough on a machine that does other things as well.
  const std::string measured = plan({"--calibrate", "--calibrate-seconds", "60"});
  EXPECT_EQ(measured.find("scalelaw sweep: warning"), std::string::npos) << measured;
  EXPECT_EQ(measured.find("too few rows"), std::string::npos) << measured;
  const auto after = nlohmann::json::parse(plan({"--json"}));
  EXPECT_NE(after.at("hours_source").get<std::string>().find("measured 20"), std::string::npos);
  for (const auto& cell : after.at("cells")) {
    const double step = cell.at("core_hours").get<double>() * 3600 / cell.at("steps").get<double>();
    EXPECT_GT(step, 1e-5);
    EXPECT_LT(step, 0.1) << "of a few thousand parameters";
  }
  EXPECT_GT(after.at("totals").at("all").at("wall_hours").get<double>(),
            after.at("totals").at("all").at("core_hours").get<double>() / 2 + 0.02 / 3600)
      << "the starts of the processes too";
  set_cache_home("/dev/null/no-cache");
}

}  // namespace
}  // namespace scalelaw
