#include "trainer/profiles.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <map>

#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

EnvironmentOf environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::optional<std::string>() : found->second;
  };
}

const EnvironmentOf kAtHome = environment({{"HOME", "/home/me"}});

std::string error_of(const std::string& yaml, const EnvironmentOf& variables = kAtHome) {
  try {
    parse_profiles(yaml, "profiles.yaml", variables);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(Profiles, SayAllThatTheCommandLineMaySayOfAPlace) {
  const Profiles profiles = parse_profiles(
      "gpu: {device: cuda, jobs: 2, replicas: 64, time_limit: 8h, device_file: ~/gpu.yaml}\n"
      "here: {jobs: auto, flops_per_second: 30G, price_per_hour: 0.34, runs: /r, data: ~/d}\n"
      "bare: {}\n",
      "profiles.yaml", kAtHome);
  EXPECT_EQ(profiles.file, "profiles.yaml");
  ASSERT_EQ(profiles.all.size(), 3u);
  const Profile &gpu = profiles.all[0], &here = profiles.all[1];
  EXPECT_EQ(gpu.name, "gpu");
  EXPECT_EQ(gpu.executor.device, "cuda");
  EXPECT_EQ(gpu.executor.jobs, 2);
  EXPECT_EQ(gpu.executor.replicas, 64);
  EXPECT_EQ(gpu.executor.time_limit, "8h");
  EXPECT_EQ(gpu.device_file, "/home/me/gpu.yaml");
  EXPECT_FALSE(gpu.runs);
  EXPECT_EQ(here.executor.jobs, 0) << "auto";
  EXPECT_FALSE(here.executor.replicas);
  EXPECT_EQ(here.flops_per_second, "30G");
  EXPECT_EQ(here.price_per_hour, "0.34");
  EXPECT_EQ(here.runs, "/r");
  EXPECT_EQ(here.data, "/home/me/d");
}

TEST(Profiles, EveryFaultNamesItsLineKeyAndRule) {
  const std::pair<const char*, const char*> faults[] = {
      {"gpu: {jobs: 2}\ncpu: {job: 2}",
       "line 2 of profiles.yaml: cpu.job = 2: unknown key; did you "
       "mean jobs?"},
      {"gpu: {workers: 4}",
       "gpu.workers = 4: unknown key; there are device, jobs, replicas, "
       "time_limit, device_file, flops_per_second, price_per_hour, runs, data"},
      {"gpu: {device: gpu}", "gpu.device = gpu: must be auto, cpu or cuda"},
      {"gpu: {jobs: 0}", "gpu.jobs = 0: must be auto or a whole number from 1 to 4096"},
      {"gpu: {replicas: 4097}", "must be auto or a whole number from 1 to 4096"},
      {"gpu: {replicas: [1, 2]}", "gpu.replicas = [...]: takes one value"},
      {"gpu: {time_limit: 0s}", "must be a time above 0, as 90s, 15m or 8h"},
      {"gpu: {price_per_hour: free}", "must be a number above 0, as 0.34"},
      {"gpu: {flops_per_second: -1}", "must be a number above 0, as 80G"},
      {"gpu: {runs: runs}", "gpu.runs = runs: must be an absolute path, or begin with ~/"},
      {"gpu: {runs: ~you/runs}", "must be an absolute path, or begin with ~/"},
      {"gpu: 2", "gpu = 2: a profile holds keys"},
      {"none: {jobs: 2}", "none: means no profile; choose another name"},
      {"[gpu]", "holds names with profiles"},
      {"gpu: {jobs: 1}\ngpu: {jobs: 2}", "gpu = {...}: is set twice"},
  };
  for (const auto& [yaml, fault] : faults) {
    EXPECT_NE(error_of(yaml).find(fault), std::string::npos) << yaml << "\n" << error_of(yaml);
  }
  EXPECT_NE(error_of("gpu: {runs: ~/runs}", environment({{"HOME", "here"}}))
                .find("HOME is not set to a folder"),
            std::string::npos);
}

TEST(Profiles, AreOfTheUsersOwnConfiguration) {
  EXPECT_EQ(profiles_file(environment({{"XDG_CONFIG_HOME", "/c"}, {"HOME", "/h"}})),
            "/c/scalelaw/profiles.yaml");
  EXPECT_EQ(profiles_file(environment({{"XDG_CONFIG_HOME", "c"}, {"HOME", "/h"}})),
            "/h/.config/scalelaw/profiles.yaml");
  EXPECT_FALSE(profiles_file(environment({{"HOME", "."}})));
}

TEST(Profiles, NobodyElseMayWriteTheFile) {
  EXPECT_EQ(why_not_own(1000, S_IFREG | 0644, 1000), "");
  EXPECT_EQ(why_not_own(0, S_IFREG | 0644, 1000), "") << "root may do anything anyway";
  EXPECT_EQ(why_not_own(1001, S_IFREG | 0600, 1000),
            "belongs to user 1001, not to you (1000); it decides where runs go, so nobody else may "
            "write it");
  for (const mode_t mode : {0664, 0602}) {
    EXPECT_EQ(why_not_own(1000, S_IFREG | mode, 1000),
              "may be written by others; it decides where runs go, so nobody else may write it "
              "(chmod go-w)");
  }
  const TempDir temp;
  const fs::path file = temp.path() / "profiles.yaml";
  EXPECT_FALSE(read_profiles(file, kAtHome)) << "there is none";
  std::ofstream(file) << "gpu: {jobs: 2}\n";
  ASSERT_EQ(chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(read_profiles(file, kAtHome)->all.size(), 1u);
  ASSERT_EQ(chmod(file.c_str(), 0620), 0);
  EXPECT_THROW(read_profiles(file, kAtHome), ConfigError);
}

TEST(Profiles, ANameThatIsNoneTellsTheNearestOrAll) {
  const Profiles profiles = parse_profiles("h100: {}\ncpu: {}\n", "profiles.yaml", kAtHome);
  EXPECT_EQ(other_profiles("h10", profiles), "; did you mean h100?");
  EXPECT_EQ(other_profiles("laptop", profiles), "; there are h100, cpu");
  EXPECT_EQ(other_profiles("laptop", Profiles{}), "; it holds none");
}

}  // namespace
}  // namespace scalelaw
