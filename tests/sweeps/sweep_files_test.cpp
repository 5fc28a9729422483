// Sweep files that include others, and settings of a command line.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

std::string cells_of(const SweepSpec& spec) {
  std::string text;
  for (const SweepPoint& point : expand(spec)) {
    text += point.place.arm + "/" + point.place.block;
    for (const auto& [key, value] : point.config) text += " " + key + "=" + value.text;
    text += "\n";
  }
  return text;
}

class SweepFiles : public testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& yaml) const {
    std::filesystem::create_directories((temp_.path() / name).parent_path());
    std::ofstream(temp_.path() / name) << yaml;
    return temp_.path() / name;
  }
  static std::string error_of(const std::filesystem::path& file,
                              const std::vector<std::string>& settings = {}) {
    try {
      expand(read_sweep_spec(file, settings));
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  TempDir temp_;
};

TEST_F(SweepFiles, WhatAFileIncludesStandsBeforeIt) {
  write("parts/recipe.yaml",
        "spec: 1\nname: recipe\nhorizon: {steps: 5}\nmodel: {n_layer: 1, d_model: 8}\n"
        "seeds: {init: [1, 2]}\n");
  write("parts/ladder.yaml", "blocks: [{name: sizes, ladder: {n: [1e4, 2e4]}}]\n");
  const auto file = write("s.yaml",
                          "spec: 1\nname: s\ninclude: [parts/recipe.yaml, parts/ladder.yaml]\n"
                          "horizon: {tokens: 9}\n"
                          "blocks: [{name: one, seeds: {init: 7}}]\n");
  EXPECT_EQ(cells_of(read_sweep_spec(file)),
            "/sizes horizon.tokens=9 ladder.n=1e4 model.n_layer=1 seeds.init=1 spec=1\n"
            "/sizes horizon.tokens=9 ladder.n=1e4 model.n_layer=1 seeds.init=2 spec=1\n"
            "/sizes horizon.tokens=9 ladder.n=2e4 model.n_layer=1 seeds.init=1 spec=1\n"
            "/sizes horizon.tokens=9 ladder.n=2e4 model.n_layer=1 seeds.init=2 spec=1\n"
            "/one horizon.tokens=9 model.d_model=8 model.n_layer=1 seeds.init=7 spec=1\n");
  EXPECT_EQ(read_sweep_spec(file).name, "s");
  const std::string before = read_sweep_spec(file).content_hash;
  write("parts/ladder.yaml", "blocks: [{name: sizes, ladder: {n: [1e4, 3e4]}}]\n");
  EXPECT_NE(read_sweep_spec(file).content_hash, before);
}

TEST_F(SweepFiles, AnExecutorOverridesThatOfWhatItIncludesKeyByKey) {
  write("part.yaml", "spec: 1\nexecutor: {profile: gpu, jobs: 1, replicas: 8}\n");
  const SweepExecutor executor = read_sweep_spec(write("s.yaml",
                                                       "spec: 1\nname: s\ninclude: part.yaml\n"
                                                       "executor: {jobs: 3, replicas: auto}\n"))
                                     .executor;
  ASSERT_TRUE(executor.profile);
  EXPECT_EQ(executor.profile->text, "gpu");
  EXPECT_EQ(executor.settings.jobs, 3);
  EXPECT_EQ(executor.settings.replicas, 0) << "auto";
  EXPECT_FALSE(executor.settings.device);
}

TEST_F(SweepFiles, FaultsOfIncludesNameTheirFileAndLine) {
  const auto has = [](const std::string& said, const std::string& what) {
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  const std::string head = "spec: 1\nname: s\ninclude: part.yaml\n";
  const auto file = write("s.yaml", head);
  has(error_of(file), "part.yaml: cannot read: No such file");
  write("part.yaml", "model: {n_layer: 1}\nmodle: {d_model: 8}\n");
  has(error_of(file), "line 2 of " + (temp_.path() / "part.yaml").string() + ": modle");
  write("part.yaml", "include: s.yaml\n");
  has(error_of(file), "include = s.yaml: includes itself, by way of ");
  write("part.yaml", "spec: 2\n");
  has(error_of(file), "spec = 1: is 2 in ");
  write("part.yaml", "arms: {a: {}}\n");
  write("s.yaml", head + "arms: {a: {}}\n");
  has(error_of(file), "arms.a: is an arm of an included file; rename one");
  write("part.yaml", "grid: {seeds.init: [1]}\n");
  write("s.yaml", head + "blocks: [{name: b}]\n");
  has(error_of(file), "stand beside combinations at the top of an included file");
  write("part.yaml", "include: {file: x}\n");
  has(error_of(file), "takes files' names");
  has(error_of(write("t.yaml", "spec: 1\nname: t\ninclude: .\n")), "cannot read");
  has(error_of(write("t.yaml", "spec: 1\nname: t\ninclude: /dev/zero\n")),
      "line 3 of " + (temp_.path() / "t.yaml").string() +
          ": include = /dev/zero: /dev/zero: is no regular file");
  has(error_of(write("t.yaml", "spec: 1\nname: t\ninclude: /proc/self/status\n")),
      "the file is empty");
}

TEST_F(SweepFiles, SettingsOverrideEveryCell) {
  const auto file = write("s.yaml",
                          "spec: 1\nname: s\nhorizon: {tokens_per_param: 20, count: total}\n"
                          "arms: {a: {model: {n_layer: 2}}}\n"
                          "blocks: [{name: b, model: {n_layer: 3}, grid: {seeds.init: [1]}}]\n");
  const SweepSpec spec = read_sweep_spec(file, {"model.n_layer=4", "horizon.steps= = 2 * 3"});
  EXPECT_EQ(cells_of(spec), "a/b horizon.steps= = 2 * 3 model.n_layer=4 seeds.init=1 spec=1\n");
  EXPECT_NE(spec.content_hash, read_sweep_spec(file).content_hash);
  EXPECT_TRUE(spec.name.starts_with("s.set-")) << "a trial has a record of its own: " << spec.name;
  EXPECT_EQ(error_of(file, {"seeds.init=3"}),
            "--set: seeds.init = 3: seeds.init is swept by block b; change it in " + file.string());
  EXPECT_NE(error_of(file, {"seeds.data=3", "seeds.data=4"}).find("is set twice"),
            std::string::npos);
  write("s.yaml", "spec: 1\nname: s\narms: {a: {seeds: {init: 1}}, b: {seeds: {init: 2}}}\n");
  EXPECT_NE(error_of(file, {"seeds.init=3"})
                .find("leaves nothing that arms a and b differ in; change it in"),
            std::string::npos);
  write("s.yaml", "spec: 1\nname: s\nisoflop: {budgets: 1e9, centre: {law: kaplan}}\n");
  EXPECT_NE(error_of(file, {"horizon.tokens=3"}).find("horizon.flops is swept; change it in"),
            std::string::npos);
}

}  // namespace
}  // namespace scalelaw
