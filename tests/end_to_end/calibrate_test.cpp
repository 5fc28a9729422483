// `scalelaw sweep plan --calibrate` with the trainer itself.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"

namespace scalelaw {
namespace {

// Of three sizes, at so many seeds each.
std::filesystem::path write_sweep(const std::filesystem::path& folder, const std::string& seeds) {
  write_tiny_data_set(folder / "data");
  std::filesystem::path spec = folder / "s.yaml";
  std::ofstream(spec) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                         "horizon: {tokens: 12800}\nevaluate: {tokens: 64}\n"
                         "model: {n_layer: 1, n_head: 2, n_ctx: 16, embeddings: untied}\n"
                         "train: {batch_tokens: 64}\n"
                         "blocks: [{name: b, grid: {model.d_model: [16, 32, 64], seeds.init: "
                      << seeds << "}}]\n";
  return spec;
}

std::string plan(const std::filesystem::path& spec, const std::vector<std::string>& more) {
  const std::filesystem::path folder = spec.parent_path();
  std::vector<std::string> words = {"scalelaw-sweep",
                                    "plan",
                                    spec.string(),
                                    "--data",
                                    (folder / "data").string(),
                                    "--runs",
                                    (folder / "runs").string()};
  words.insert(words.end(), more.begin(), more.end());
  const ProgramResult result = run_program(words);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  return result.output;
}

TEST(Calibrate, HoursOfATinySweepAreMeasuredAndUsedByTheNextPlan) {
  const TempDir temp;
  const std::filesystem::path spec = write_sweep(temp.path(), "[1]");
  set_cache_home(temp.path() / "cache");
  const auto on_cpu = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--device", "cpu", "--jobs=2"});
    return plan(spec, more);
  };
  const std::string before = on_cpu({"--json"});
  EXPECT_TRUE(nlohmann::json::parse(before).at("hours_source").is_null());
  // Time enough on a machine that does other things as well.
  const std::string measured = on_cpu({"--calibrate", "--calibrate-seconds", "60"});
  EXPECT_EQ(measured.find("scalelaw sweep: warning"), std::string::npos) << measured;
  EXPECT_EQ(measured.find("too few rows"), std::string::npos) << measured;
  const auto after = nlohmann::json::parse(on_cpu({"--json"}));
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

// The trainer itself, asked for a GPU's steps and making them on the CPU: no graph, all the rest.
TEST(Calibrate, AGpusStepsAreAskedForAndReadAsTheTrainerTellsThem) {
  const TempDir temp;
  const std::filesystem::path spec = write_sweep(temp.path(), "[1, 2, 3, 4]");
  const std::filesystem::path trainer = temp.path() / "trainer";
  std::ofstream(trainer) << "#!/bin/sh\n"
                            "for word do\n"
                            "  case $word in\n"
                            "    --device=cuda) word=--device=cpu;;\n"
                            "    --step=graph) word=--step=device;;\n"
                            "  esac\n"
                            "  set -- \"$@\" \"$word\"; shift\n"
                            "done\n"
                            "exec '"
                         << program_path("scalelaw-train").string() << "' \"$@\"\n";
  std::filesystem::permissions(trainer, std::filesystem::perms::owner_all);
  setenv("CUDA_VISIBLE_DEVICES", "MIG-0", 1);  // one that is nobody's, and of no model
  const std::string text =
      plan(spec, {"--device", "cuda", "--replicas=4", "--calibrate", "--calibrate-seconds=10",
                  "--trainer", trainer.string(), "--json"});
  unsetenv("CUDA_VISIBLE_DEVICES");
  EXPECT_NE(text.find("scalelaw sweep: warning: what was measured is not kept: "),
            std::string::npos)
      << text;
  const auto json = nlohmann::json::parse(text.substr(text.find("\n{") + 1));
  EXPECT_NE(json.at("hours_source").get<std::string>().find("a GPU, measured 20"),
            std::string::npos);
  for (const auto& cell : json.at("cells")) {
    const double of_pack = 4 * cell.at("gpu_hours").get<double>() * 3600;
    const double step = of_pack / cell.at("steps").get<double>();
    EXPECT_GT(step, 1e-5);
    EXPECT_LT(step, 0.1) << "of a few thousand parameters";
  }
}

}  // namespace
}  // namespace scalelaw
