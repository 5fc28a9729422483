#include "trainer/cli/doctor.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kGiB = 1024.0 * 1024 * 1024;

const Finding& of(const std::vector<Finding>& findings, const std::string& subject) {
  for (const Finding& finding : findings) {
    if (finding.subject == subject) return finding;
  }
  throw std::runtime_error("no finding on " + subject);
}

// A folder that looks like an installation: five programs that start, LibTorch's one file.
class DoctorTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ / "torch/lib");
    std::ofstream(folder_ / "torch/lib/libtorch_cpu.so");
    for (const char* name :
         {"scalelaw-data", "scalelaw-train", "scalelaw-sweep", "scalelaw-runs", "scalelaw-fit"}) {
      put_program(name, 0);
    }
    options_ = {folder_ / "runs", folder_ / "data", folder_, folder_ / "torch", "2.11.0"};
  }

  void put_program(const std::string& name, int exit_code) {
    std::ofstream(folder_ / name) << "#!/bin/sh\nexit " << exit_code << "\n";
    chmod((folder_ / name).c_str(), 0755);
  }

  TempDir temp_;
  fs::path folder_ = temp_.path();
  DoctorOptions options_;
};

TEST_F(DoctorTest, WholeInstallationCanRunSweepsAndNothingIsWritten) {
  const auto findings = examine(options_);
  EXPECT_TRUE(can_run_sweeps(findings)) << to_text(findings);
  EXPECT_FALSE(fs::exists(options_.runs));
  EXPECT_FALSE(fs::exists(options_.data));
}

TEST_F(DoctorTest, ProfilesAreNamedWithTheirFile) {
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    return name == "XDG_CONFIG_HOME" ? folder_.string() : "";
  };
  const fs::path file = folder_ / "scalelaw/profiles.yaml";
  EXPECT_EQ(examine_profiles(environment).found, "none: there is no " + file.string());
  fs::create_directories(file.parent_path());
  std::ofstream(file) << "gpu: {device: cuda}\nlaptop: {jobs: 2}\n";
  chmod(file.c_str(), 0600);
  EXPECT_EQ(examine_profiles(environment).found, "gpu, laptop in " + file.string());
  chmod(file.c_str(), 0666);
  EXPECT_EQ(examine_profiles(environment).health, Health::kLimited) << "--profile none is left";
}

TEST_F(DoctorTest, ProgramThatDoesNotStartIsBrokenAndNamed) {
  put_program("scalelaw-train", 127);
  const auto findings = examine(options_);
  EXPECT_FALSE(can_run_sweeps(findings));
  EXPECT_EQ(of(findings, "scalelaw-train").health, Health::kBroken);
  EXPECT_NE(of(findings, "scalelaw-train").advice.find("ldd"), std::string::npos);
}

TEST_F(DoctorTest, MissingProgramAndMissingTorchAreBroken) {
  fs::remove(folder_ / "scalelaw-fit");
  fs::remove_all(folder_ / "torch");
  const auto findings = examine(options_);
  EXPECT_EQ(of(findings, "scalelaw-fit").health, Health::kBroken);
  EXPECT_EQ(of(findings, "LibTorch").health, Health::kBroken);
}

TEST_F(DoctorTest, StoreThatCannotBeWrittenIsBroken) {
  options_.runs = "/proc/runs";  // not even root may write there
  EXPECT_EQ(of(examine(options_), "run store").health, Health::kBroken);
  options_.runs = folder_ / "runs";
  fs::create_symlink("gone", options_.runs);
  EXPECT_EQ(of(examine(options_), "run store").health, Health::kBroken) << "a link to nothing";
}

TEST_F(DoctorTest, NoDataSetIsOnlyALimit) {
  const auto findings = examine(options_);
  EXPECT_EQ(of(findings, "data sets").health, Health::kLimited);
  EXPECT_NE(of(findings, "data sets").advice.find("data build default"), std::string::npos);
}

TEST_F(DoctorTest, DamagedDataSetIsNamedWithItsCure) {
  write_tiny_data_set(options_.data);
  write_tiny_data_set(options_.data, {.name = "default"});
  EXPECT_EQ(of(examine(options_), "data sets").found, "default, tiny in " + options_.data.string());
  fs::resize_file(options_.data / "default/train.tokens", 0);
  const auto one = examine(options_);
  EXPECT_TRUE(can_run_sweeps(one)) << to_text(one);
  EXPECT_EQ(of(one, "data sets").found, "tiny in " + options_.data.string());
  EXPECT_EQ(of(one, "data set").health, Health::kLimited);
  EXPECT_NE(of(one, "data set").found.find("default/train.tokens: is cut short"),
            std::string::npos);
  EXPECT_EQ(of(one, "data set").advice,
            "scalelaw data build default --replace --data " + options_.data.string());
  fs::resize_file(options_.data / "tiny/data_set.json", 30);
  const auto both = examine(options_);
  EXPECT_FALSE(can_run_sweeps(both)) << to_text(both);
  EXPECT_NE(to_text(both).find("tiny/data_set.json: is damaged"), std::string::npos)
      << to_text(both);
  EXPECT_NE(to_text(both).find("--name tiny --replace"), std::string::npos) << to_text(both);
}

// A new build would take the place of what others read.
TEST_F(DoctorTest, DataSetOfANewerProgramOrAnotherUserIsNotToBeReplaced) {
  write_tiny_data_set(options_.data);
  const fs::path file = options_.data / "tiny/data_set.json";
  nlohmann::json json = nlohmann::json::parse(std::ifstream(file));
  json["version"] = 99;
  json.erase("file_hash");
  std::ofstream(file) << json;
  const auto newer = examine(options_);
  EXPECT_NE(of(newer, "data set").found.find("is of version 99"), std::string::npos);
  EXPECT_EQ(of(newer, "data set").advice, "use the program that built it, or a newer one");

  fs::remove(file);
  fs::create_symlink(file.filename(), file);  // as closed to root as a file can be
  EXPECT_EQ(of(examine(options_), "data set").advice,
            "make it readable for this user, or choose another folder with --data");

  options_.data = folder_ / "scalelaw-fit";
  const auto no_folder = examine(options_);
  EXPECT_FALSE(can_run_sweeps(no_folder));
  EXPECT_EQ(of(no_folder, "data sets").found, options_.data.string() + ": Not a directory");
}

TEST_F(DoctorTest, JsonIsValidWhateverAFolderIsCalled) {
  options_.runs = folder_ / "a \"quoted\"\n\xff name";
  const auto json = nlohmann::json::parse(to_json(examine(options_)));
  EXPECT_TRUE(json.at("can_run_sweeps").get<bool>());
  EXPECT_GE(json.at("findings").size(), 10u);
}

TEST(DoctorDisk, BordersOfBytesAndInodes) {
  EXPECT_EQ(examine_disk("runs", 100 * kGiB, 1e6).health, Health::kGood);
  EXPECT_EQ(examine_disk("runs", 1 * kGiB, 1e6).health, Health::kLimited);
  EXPECT_EQ(examine_disk("runs", 0.1 * kGiB, 1e6).health, Health::kBroken);
  EXPECT_EQ(examine_disk("runs", 100 * kGiB, 5000).health, Health::kLimited);
  EXPECT_EQ(examine_disk("runs", 100 * kGiB, 10).health, Health::kBroken);
}

TEST(DoctorGpu, SaysWhatTheDriverAndLibTorchLack) {
  GpuProbe probe;
  EXPECT_EQ(examine_gpu(probe, false).health, Health::kGood) << "no GPU is no fault";
  probe.gpus = 1;
  probe.driver_version = "535.183.01";
  EXPECT_EQ(examine_gpu(probe, true).health, Health::kLimited);
  EXPECT_NE(examine_gpu(probe, true).advice.find("580"), std::string::npos);
  probe.driver_version = "580.65.06";
  EXPECT_EQ(examine_gpu(probe, true).health, Health::kGood);
  EXPECT_NE(examine_gpu(probe, false).advice.find("setup.sh --torch cuda"), std::string::npos);
  probe.hidden_by = "CUDA_VISIBLE_DEVICES=";
  EXPECT_EQ(examine_gpu(probe, false).health, Health::kGood);
  probe.allocation = "SLURM_JOB_GPUS=0";
  EXPECT_EQ(examine_gpu(probe, true).health, Health::kLimited);
  EXPECT_NE(examine_gpu(probe, true).found.find("SLURM_JOB_GPUS=0"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
