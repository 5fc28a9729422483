#include "trainer/cli/store_mount.h"

#include <gtest/gtest.h>

#include <sstream>

namespace scalelaw {
namespace {

Mount found_for(const std::string& path) {
  std::istringstream table(
      "/dev/vda / ext4 rw 0 0\n"
      "server:/a /home nfs4 rw,vers=4.2,hard 0 0\n"
      "server:/b /home/my\\040runs nfs rw,nocto,hard 0 0\n"
      "torn\n");
  return mount_of(path, table);
}

TEST(StoreMount, IsTheLongestMountPointThatThePathLiesBelow) {
  EXPECT_EQ(found_for("/homely/runs").type, "ext4");
  EXPECT_EQ(found_for("/home/runs").type, "nfs4");
  EXPECT_EQ(found_for("/home/my runs/store").options, "rw,nocto,hard");
}

TEST(StoreMount, ThatKeepsListsOfFoldersLongerThanALeaseIsWaitedForIsLimited) {
  EXPECT_EQ(examine_mount({"nfs4", "rw,acdirmax=60"})->health, Health::kGood);
  EXPECT_EQ(examine_mount({"nfs4", "rw,acdirmax=600,hard"})->health, Health::kLimited);
}

TEST(StoreMount, OfNfsWithoutCloseToOpenIsLimited) {
  EXPECT_FALSE(examine_mount(found_for("/tmp")));
  EXPECT_EQ(examine_mount(found_for("/home"))->health, Health::kGood);
  const auto finding = examine_mount(found_for("/home/my runs"));
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->health, Health::kLimited);
  EXPECT_NE(finding->advice.find("without nocto"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
