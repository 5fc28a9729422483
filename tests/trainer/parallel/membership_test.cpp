#include "trainer/parallel/membership.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

using Values = std::map<std::string, std::string>;

Membership membership_by(const Values& values) {
  return membership_from([&](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  });
}

const Values kTorchrun = {{"RANK", "3"},
                          {"WORLD_SIZE", "4"},
                          {"LOCAL_RANK", "1"},
                          {"MASTER_ADDR", "node7"},
                          {"MASTER_PORT", "29500"}};

TEST(Membership, IsWhatTorchrunSays) {
  const Membership m = membership_by(kTorchrun);
  EXPECT_EQ(m.rank, 3);
  EXPECT_EQ(m.size, 4);
  EXPECT_EQ(m.local_rank, 1);
  EXPECT_EQ(m.address, "node7");
  EXPECT_EQ(m.port, 29500);
  EXPECT_FALSE(m.launcher_serves);
  Values with_store = kTorchrun;
  with_store["TORCHELASTIC_USE_AGENT_STORE"] = "True";
  EXPECT_TRUE(membership_by(with_store).launcher_serves);
}

TEST(Membership, IsWhatSlurmSaysAndMeetsInAFileOfThatStep) {
  Values slurm = {{"SLURM_PROCID", "1"},
                  {"SLURM_NTASKS", "2"},
                  {"SLURM_LOCALID", "0"},
                  {"SLURM_JOB_ID", "17"},
                  {"SLURM_STEP_ID", "0"}};
  const Membership m = membership_by(slurm);
  EXPECT_EQ(m.rank, 1);
  EXPECT_EQ(m.size, 2);
  EXPECT_TRUE(m.address.empty());
  const std::string before = m.meeting_file;
  slurm["SLURM_RESTART_COUNT"] = "1";
  EXPECT_NE(membership_by(slurm).meeting_file, before);
  slurm["MASTER_ADDR"] = "node7";
  slurm["MASTER_PORT"] = "4000";
  EXPECT_EQ(membership_by(slurm).port, 4000);
  EXPECT_TRUE(membership_by(slurm).meeting_file.empty());
}

TEST(Membership, TorchrunInsideSlurmIsTorchruns) {
  Values both = kTorchrun;
  both["SLURM_PROCID"] = "0";
  both["SLURM_NTASKS"] = "1";
  EXPECT_EQ(membership_by(both).size, 4);
}

TEST(Membership, NamesTheVariableThatIsMissingOrCannotBe) {
  const auto complaint = [](Values values) -> std::string {
    try {
      membership_by(values);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_NE(complaint({}).find("WORLD_SIZE is not set"), std::string::npos);
  for (const char* name : {"RANK", "MASTER_PORT", "WORLD_SIZE", "LOCAL_RANK"}) {
    Values bad = kTorchrun;
    for (const char* value : {"x", "-1", "4 ", "100000"}) {
      bad[name] = value;
      EXPECT_NE(complaint(bad).find(std::string(name) + " = " + value), std::string::npos)
          << name << " " << value << ": " << complaint(bad);
    }
  }
  Values no_address = kTorchrun;
  no_address.erase("MASTER_ADDR");
  EXPECT_NE(complaint(no_address).find("MASTER_ADDR is not set"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
