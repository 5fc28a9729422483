// Where a sweep's runs go and how they are trained, by the user's own profiles.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/sweeps/sweep_program_fixture.h"

namespace scalelaw {
namespace {

class SweepProfiles : public SweepProgram {
 protected:
  SweepProfiles() { setenv("XDG_CONFIG_HOME", temp_.path().c_str(), 1); }
  ~SweepProfiles() override { unsetenv("XDG_CONFIG_HOME"); }

  void write_profiles(const std::string& yaml, mode_t mode = 0600) const {
    fs::create_directories(temp_.path() / "scalelaw");
    std::ofstream(temp_.path() / "scalelaw/profiles.yaml") << yaml;
    ASSERT_EQ(chmod((temp_.path() / "scalelaw/profiles.yaml").c_str(), mode), 0);
  }
  void write_spec_with(const std::string& executor) {
    write_spec("[1, 2]");
    std::ofstream(spec_, std::ios::app) << "executor: " << executor << "\n";
  }
  // Without --runs and --data, which command() gives.
  ProgramResult call(const std::string& verb, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"scalelaw-sweep", verb, spec_.string()};
    if (verb == "run") words.insert(words.end(), {"--trainer", SCALELAW_FAKE_TRAINER});
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  }
  std::string profile(const std::string& name, const std::string& more) const {
    return name + ": {runs: \"" + (temp_.path() / name).string() + "\", data: \"" +
           (temp_.path() / "data").string() + "\"" + more + "}\n";
  }
};

TEST_F(SweepProfiles, AProfileSaysWhereTheStoreIsForEveryVerb) {
  write_profiles(profile("here", ", device: cpu, jobs: 2") + profile("there", ", device: cuda"));
  write_spec_with("{profile: here}");
  const ProgramResult run = call("run");
  EXPECT_EQ(run.exit_code, 0) << run.output;
  EXPECT_NE(run.output.find("profile here of "), std::string::npos) << run.output;
  EXPECT_NE(run.output.find("on the CPU, 2 processes at a time"), std::string::npos) << run.output;
  EXPECT_TRUE(fs::exists(temp_.path() / "here/sweeps/s.json"));
  EXPECT_NE(call("status").output.find("s: 2 complete"), std::string::npos);
  EXPECT_NE(call("watch", {"--once"}).output.find("2 complete"), std::string::npos);

  const ProgramResult elsewhere = call("status", {"--profile", "there"});
  EXPECT_EQ(elsewhere.exit_code, 0) << "it looks, and needs no GPU\n" << elsewhere.output;
  EXPECT_NE(elsewhere.output.find("s: 2 missing"), std::string::npos) << elsewhere.output;
  const ProgramResult refused = call("plan", {"--profile", "there"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("(cuda is asked for by profile there); `scalelaw sweep plan --gpus "
                                "N` plans for GPUs elsewhere"),
            std::string::npos)
      << refused.output;
  const ProgramResult for_gpus = call("plan", {"--profile", "there", "--gpus", "8"});
  EXPECT_EQ(for_gpus.exit_code, 0) << for_gpus.output;
  EXPECT_NE(for_gpus.output.find(" on 8 GPUs"), std::string::npos) << for_gpus.output;
  EXPECT_NE(for_gpus.output.find("one GPU: time at rates that are assumed of a GPU and not"),
            std::string::npos);
  const ProgramResult planned = call("plan", {"--profile", "there", "--device", "cpu", "--json"});
  EXPECT_EQ(planned.exit_code, 0) << planned.output;
  EXPECT_EQ(nlohmann::json::parse(planned.output).at("runs"), (temp_.path() / "there").string());
}

TEST_F(SweepProfiles, TheCommandThatGoesOnNamesTheProfile) {
  write_profiles(profile("here", ", device: cpu"));
  write_spec("[1, 2]");
  behave("1:crash;2:crash");
  call("run", {"--profile", "here", "--retries", "0"});
  const ProgramResult retried = call("retry", {"--profile", "here", "--only", "transformer_*"});
  EXPECT_NE(retried.output.find("scalelaw sweep run"), std::string::npos) << retried.output;
  EXPECT_NE(retried.output.find(" --profile here\n"), std::string::npos) << retried.output;
}

TEST_F(SweepProfiles, OptionsAndFileWinOverTheProfile) {
  write_profiles(profile("here", ", device: cpu, jobs: 2, price_per_hour: 5"));
  write_spec_with("{profile: here, jobs: 3}");
  const auto planned = [&](const std::vector<std::string>& more) {
    const ProgramResult result = run_program(command("plan", more));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output);
  };
  const auto by_file = planned({"--json"});
  EXPECT_EQ(by_file.at("jobs"), 3);
  EXPECT_EQ(by_file.at("price_per_hour"), 5);
  EXPECT_EQ(by_file.at("runs"), runs_.string()) << "--runs was given";
  const auto by_option = planned({"--json", "--jobs", "1", "--price-per-hour", "2"});
  EXPECT_EQ(by_option.at("jobs"), 1);
  EXPECT_EQ(by_option.at("price_per_hour"), 2);
  const auto without = planned({"--json", "--profile", "none"});
  EXPECT_TRUE(without.at("price_per_hour").is_null());
  EXPECT_TRUE(without.at("profile").is_null());
  EXPECT_EQ(without.at("jobs"), 3);
}

TEST_F(SweepProfiles, ADeviceFileOfAnotherKindIsLeftAside) {
  std::ofstream(temp_.path() / "gpu.yaml")
      << "device: H100\nkind: gpu\ndate: 2026-11-01\nrows:\n"
         "  - {arch: lstm, n_layer: 2, d_model: 80, n_head: 1, n_ctx: 128, n_vocab: 256, "
         "batch_tokens: 2048, precision: fp32, replicas: 1, processes: 1, step_seconds: 0.02}\n";
  write_profiles(profile("gpu", ", device_file: \"" + (temp_.path() / "gpu.yaml").string() + "\""));
  write_spec_with("{profile: gpu, device: cpu}");
  const ProgramResult result = call("plan");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("warning: the profile's device_file is left aside: "),
            std::string::npos)
      << result.output;
}

TEST_F(SweepProfiles, AFileThatOthersMayWriteIsRefusedWhereAProfileIsNamed) {
  write_profiles(profile("here", ""), 0666);
  write_spec_with("{profile: here}");
  const ProgramResult refused = call("status");
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("profiles.yaml: may be written by others"), std::string::npos)
      << refused.output;
  EXPECT_EQ(run_program(command("status", {"--profile", "none"})).exit_code, 0);
}

TEST_F(SweepProfiles, ATimeLimitOfTheFileEndsAttempts) {
  write_profiles(profile("here", ", device: cpu, time_limit: 8h"));
  write_spec("[1]");
  std::ofstream(spec_, std::ios::app) << "executor: {profile: here, time_limit: 1s}\n";
  behave("1:hang,ok");
  const ProgramResult result = call("run");
  EXPECT_EQ(result.exit_code, 3) << result.output;
}

}  // namespace
}  // namespace scalelaw
