#include "trainer/available_cores.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class CpuQuota : public testing::Test {
 protected:
  void put(const fs::path& file, const std::string& text) {
    fs::create_directories((mounted_ / file).parent_path());
    std::ofstream(mounted_ / file) << text << "\n";
  }

  TempDir temp_;
  fs::path mounted_ = temp_.path();
};

TEST_F(CpuQuota, ContainerOfVersionTwoSeesItsGroupAsTheRoot) {
  put("cpu.max", "200000 100000");
  EXPECT_EQ(cpu_quota(mounted_, "0::/\n"), 2.0);
  put("cpu.max", "150000 100000");
  EXPECT_EQ(cpu_quota(mounted_, "0::/\n"), 1.5);
  put("cpu.max", "max 100000");
  EXPECT_EQ(cpu_quota(mounted_, "0::/\n"), std::nullopt);
}

TEST_F(CpuQuota, LeastOfTheGroupAndThoseAboveIt) {
  put("a/cpu.max", "300000 100000");
  put("a/b/cpu.max", "800000 100000");
  put("a/b/c/cpu.max", "max 100000");
  put("other/cpu.max", "100000 100000");
  EXPECT_EQ(cpu_quota(mounted_, "0::/a/b/c\n"), 3.0);
}

TEST_F(CpuQuota, VersionOneIsReadFromTheControllersFolder) {
  put("cpu/cpu.cfs_quota_us", "-1");
  put("cpu/cpu.cfs_period_us", "100000");
  put("cpu/docker/1f/cpu.cfs_quota_us", "250000");
  put("cpu/docker/1f/cpu.cfs_period_us", "100000");
  const std::string groups = "9:name=systemd:/x\n5:cpuset:/y\n4:cpu,cpuacct:/docker/1f\n0::/\n";
  EXPECT_EQ(cpu_quota(mounted_, groups), 2.5);
  EXPECT_EQ(cpu_quota(mounted_, "4:cpu,cpuacct:/\n"), std::nullopt) << "-1 is no quota";
  put("cpu/cpu.cfs_quota_us", "400000");
  EXPECT_EQ(cpu_quota(mounted_, "4:cpuacct,cpu:/docker/of the host\n"), 4.0)
      << "without a namespace a container reads the host's path and has its own group as root";
}

TEST_F(CpuQuota, WhatCannotBeReadIsNoQuota) {
  EXPECT_EQ(cpu_quota(mounted_, ""), std::nullopt);
  EXPECT_EQ(cpu_quota(mounted_ / "nowhere", "0::/a\n"), std::nullopt);
  put("cpu.max", "");
  EXPECT_EQ(cpu_quota(mounted_, "0::/\nrubbish"), std::nullopt);
  put("cpu.max", "0 0");
  EXPECT_EQ(cpu_quota(mounted_, "0::/\n"), std::nullopt);
}

TEST(AvailableCores, AtLeastOne) {
  EXPECT_GE(available_cores(), 1);
}

}  // namespace
}  // namespace scalelaw
