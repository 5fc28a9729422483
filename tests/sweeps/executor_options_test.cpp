#include "sweeps/plan/executor_options.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "sweeps/status/cell_status.h"
#include "tests/support/temp_dir.h"
#include "tests/sweeps/plan_fixture.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

SweepSpec spec_of(const std::string& executor) {
  return parse_sweep_spec("spec: 1\nname: s\nexecutor: " + executor + "\n", "s.yaml");
}

std::string error_of(const std::string& executor) {
  try {
    spec_of(executor);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

class ExecutorOptions : public testing::Test {
 protected:
  ExecutorOptions() {
    fs::create_directories(temp_.path() / "scalelaw");
    write(
        "gpu: {device: cuda, jobs: 2, replicas: 64, time_limit: 8h, device_file: /gpu.yaml,\n"
        "      runs: /profile/runs, data: /profile/data, price_per_hour: 3, "
        "flops_per_second: 9G}\n");
  }
  void write(const std::string& yaml) const {
    const fs::path file = temp_.path() / "scalelaw" / "profiles.yaml";
    std::ofstream(file) << yaml;
    ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  }
  PlanArguments taken(const std::string& executor,
                      const std::optional<std::string>& profile = std::nullopt,
                      const std::set<std::string>& given = {}, bool has_workers = true) const {
    PlanArguments arguments;
    arguments.jobs = given.contains("--jobs") ? 7 : 0;
    const auto environment = [&](const std::string& name) -> std::optional<std::string> {
      if (name == "XDG_CONFIG_HOME") return temp_.path().string();
      return std::nullopt;
    };
    take_executor(executor.empty() ? SweepExecutor{} : spec_of(executor).executor, profile,
                  {[&](const std::string& option) { return given.contains(option); }, has_workers},
                  environment, arguments);
    return arguments;
  }
  std::string fault(const std::string& executor,
                    const std::optional<std::string>& profile = std::nullopt) const {
    try {
      taken(executor, profile);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  TempDir temp_;
};

TEST_F(ExecutorOptions, AProfileSaysWhatNeitherFileNorCommandLineSays) {
  const PlanArguments all = taken("{profile: gpu}");
  EXPECT_EQ(all.device, "cuda");
  EXPECT_EQ(all.device_from, "profile gpu");
  EXPECT_EQ(all.jobs, 2);
  EXPECT_EQ(all.replicas, 64);
  EXPECT_EQ(all.time_limit, "8h");
  EXPECT_EQ(all.device_file, "/gpu.yaml");
  EXPECT_EQ(all.runs, "/profile/runs");
  EXPECT_EQ(all.data, "/profile/data");
  EXPECT_EQ(all.price_per_hour, "3");
  EXPECT_EQ(all.flops_per_second, "9G");
  EXPECT_EQ(all.profile, "gpu of " + (temp_.path() / "scalelaw/profiles.yaml").string());

  const PlanArguments some =
      taken("{profile: gpu, device: cpu, jobs: 3, replicas: auto}", {}, {"--jobs", "--runs"});
  EXPECT_EQ(some.jobs, 7) << "the command line wins";
  EXPECT_EQ(some.runs, "runs") << "the command line wins";
  EXPECT_EQ(some.device, "cpu") << "then the file";
  EXPECT_EQ(some.replicas, 0) << "auto is said, too";
  EXPECT_EQ(some.time_limit, "8h") << "then the profile";
}

TEST_F(ExecutorOptions, TheOptionsProfileWinsOverTheFilesAndNoneIsNone) {
  write("gpu: {jobs: 2}\ncpu: {jobs: 5}\n");
  EXPECT_EQ(taken("{profile: gpu}", "cpu").jobs, 5);
  const PlanArguments none = taken("{profile: gpu, replicas: 4}", kNoProfile);
  EXPECT_EQ(none.jobs, 0);
  EXPECT_EQ(none.replicas, 4) << "the file's own word stays";
  EXPECT_EQ(none.profile, "");
}

TEST_F(ExecutorOptions, WhatWasMeasuredIsSaidByOneOfThem) {
  for (const char* option : {"--device-file", "--flops-per-second", "--calibrate"}) {
    const PlanArguments arguments = taken("{profile: gpu}", {}, {option});
    EXPECT_EQ(arguments.device_file, "") << option;
    EXPECT_EQ(arguments.flops_per_second, "") << option;
    EXPECT_EQ(arguments.price_per_hour, "3") << option;
  }
}

TEST_F(ExecutorOptions, AVerbThatStartsNothingTakesTheStoresPlaceAlone) {
  const PlanArguments arguments = taken("{profile: gpu, device: cuda}", {}, {}, false);
  EXPECT_EQ(arguments.runs, "/profile/runs");
  EXPECT_EQ(arguments.data, "/profile/data");
  EXPECT_EQ(arguments.device, "auto") << "a login node has none";
  EXPECT_EQ(arguments.jobs, 0);
  EXPECT_EQ(arguments.device_file, "");
}

TEST_F(ExecutorOptions, AnUnknownProfileIsToldWithFileAndNames) {
  const std::string file = (temp_.path() / "scalelaw/profiles.yaml").string();
  write("h100: {}\ncpu: {}\n");
  EXPECT_EQ(fault("{profile: h10}"),
            "line 3 of s.yaml: executor.profile = h10: no such profile in " + file +
                "; did you mean h100?");
  EXPECT_EQ(fault("{jobs: 2}", "laptop"),
            "--profile laptop: no such profile in " + file + "; there are h100, cpu");
  for (const std::string& empty : {fault("{profile: ''}"), fault("{profile: cpu}", "")}) {
    EXPECT_NE(empty.find("no such profile in "), std::string::npos) << empty;
  }
  fs::remove(file);
  EXPECT_EQ(fault("", "cpu"), "--profile cpu: there are no profiles, since there is no " + file +
                                  "; --profile none goes without");
  EXPECT_EQ(fault("{jobs: 2}"), "") << "nothing is read where no profile is named";
}

TEST_F(ExecutorOptions, WhatTheFileSaysIsStrict) {
  const std::pair<const char*, const char*> faults[] = {
      {"{job: 2}", "line 3 of s.yaml: executor.job = 2: unknown key; did you mean jobs?"},
      {"{queue: 4}",
       "executor.queue = 4: unknown key; there are profile, device, jobs, "
       "replicas, time_limit"},
      {"{workers: 4}", "executor.workers = 4: unknown key; here it is jobs, "},
      {"{gpus_per_worker: 1}", "unknown key; here it is jobs, "},
      {"{walltime: 8h}", "executor.walltime = 8h: unknown key; here it is time_limit, "},
      {"{pack: auto}", "executor.pack = auto: unknown key; here it is replicas, "},
      {"{runs: /tmp}", "executor.runs = /tmp: unknown key; there are "},
      {"{data: /tmp}", "executor.data = /tmp: unknown key; there are "},
      {"{device_file: f}", "executor.device_file = f: unknown key; there are "},
      {"{jobs: 0}", "executor.jobs = 0: must be auto or a whole number from 1 to 4096"},
      {"{device: gpu}", "must be auto, cpu or cuda"},
      {"{time_limit: soon}", "must be a time above 0"},
      {"{profile: [a]}", "takes one value"},
      {"{}", "must hold settings, as "},
      {"gpu", "must hold settings, as "},
  };
  for (const auto& [executor, told] : faults) {
    EXPECT_NE(error_of(executor).find(told), std::string::npos) << error_of(executor);
  }
}

TEST_F(PlanTest, WhereRunsAreTrainedIsNoPartOfThem) {
  const Plan bare = plan(kBase);
  const Plan other = plan(kBase +
                          "executor: {profile: gpu, device: cuda, jobs: 2, replicas: 4, "
                          "time_limit: 8h}\n");
  ASSERT_EQ(other.cells.size(), 1u);
  EXPECT_EQ(other.cells[0].content_hash, bare.cells[0].content_hash);
  EXPECT_EQ(other.cells[0].folder, bare.cells[0].folder);
}

}  // namespace
}  // namespace scalelaw
