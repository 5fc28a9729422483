#include "trainer/line_file.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/disk_space.h"

static bool no_room_for_what_is_cached = false;
// A server that is away: how many of the next calls fail, and with what.
static int writes_to_fail = 0, syncs_to_fail = 0, fault = EIO;
static bool fails(int& to_fail) {
  if (to_fail == 0) return false;
  --to_fail;
  errno = fault;
  return true;
}
extern "C" ssize_t pwrite(int descriptor, const void* bytes, size_t size, off_t offset) {
  return fails(writes_to_fail) ? -1 : syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}
// As a file system answers that reserves room when it writes back.
extern "C" int fsync(int descriptor) {
  if (fails(syncs_to_fail)) {
    // What was cached is dropped.
    EXPECT_EQ(ftruncate(descriptor, 0), 0);
    errno = fault;
    return -1;
  }
  errno = ENOSPC;
  return no_room_for_what_is_cached ? -1 : static_cast<int>(syscall(SYS_fsync, descriptor));
}

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::string line(int number) {
  return std::to_string(number) + std::string(300, 'x');
}

std::string lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += line(i) + "\n";
  return text;
}

TEST(LineFile, HoldsALineWrittenAsSoonAsItIsAdded) {
  const TempDir temp;
  LineFile file(temp.path() / "lines");
  for (int i = 0; i < 3; ++i) {
    file.append(line(i));
    EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(i + 1));
    if (i == 1) file.sync();
  }
}

TEST(LineFile, LosesNoLineToAServerThatWasAway) {
  const TempDir temp;
  LineFile file(temp.path() / "lines");
  fault = ESTALE;
  writes_to_fail = 3;
  file.append(line(0));
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(1));
  fault = EIO;
  writes_to_fail = 1;
  syncs_to_fail = 2;
  file.append(line(1));
  file.sync();
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(2));
  writes_to_fail = 100;
  EXPECT_THROW(file.append(line(2)), std::runtime_error);
  EXPECT_EQ(writes_to_fail, 95);
  writes_to_fail = 0;
  file.append(line(3));
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(4)) << "it was held back";
}

TEST(LineFile, LosesNoLineToAFullDisk) {
  const TempDir temp;
  const fs::path disk = temp.path() / "disk";
  if (const std::string why = mount_small_disk(disk, 64 << 10); !why.empty()) GTEST_SKIP() << why;
  LineFile file(disk / "lines");
  for (int i = 0; i < 3; ++i) file.append(line(i));
  file.sync();
  fill_disk(disk / "filler");
  for (int i = 3; i < 40; ++i) file.append(line(i));
  const std::string there = read_whole_file(disk / "lines");
  EXPECT_LT(there.size(), lines(40).size());
  EXPECT_TRUE(there.ends_with('\n')) << "a torn line";
  EXPECT_TRUE(lines(40).starts_with(there));
  EXPECT_THROW(file.write_held_back(), DiskFull);
  EXPECT_THROW(file.sync(), DiskFull);
  fs::remove(disk / "filler");
  file.append(line(40));
  EXPECT_EQ(read_whole_file(disk / "lines"), lines(41));
  file.sync();
}

TEST(LineFile, WritesAgainWhatTheDiskDroppedLate) {
  const TempDir temp;
  LineFile file(temp.path() / "lines");
  file.append(line(0));
  file.sync();
  file.append(line(1));
  no_room_for_what_is_cached = true;
  EXPECT_THROW(file.sync(), DiskFull);
  no_room_for_what_is_cached = false;
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(1)) << "what is not on the disk for sure";
  file.sync();
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(2));
}

TEST(LineFile, IsKeptShortInMemoryWithoutAnySync) {
  const TempDir temp;
  LineFile file(temp.path() / "lines");
  for (int i = 0; i < 8000; ++i) file.append(line(i));  // 2.4 MB
  EXPECT_EQ(read_whole_file(temp.path() / "lines"), lines(8000));
}

TEST(DiskSpace, IsWhatTheFileSystemHasLeft) {
  const TempDir temp;
  const fs::path disk = temp.path() / "disk";
  if (const std::string why = mount_small_disk(disk, 1 << 20); !why.empty()) GTEST_SKIP() << why;
  EXPECT_EQ(space_left(disk / "not" / "there")->bytes, 1 << 20);
  EXPECT_GT(space_left(disk)->files.value_or(0), 0);
  fill_disk(disk / "filler");
  EXPECT_EQ(space_left(disk)->bytes, 0);
  try {
    write_atomically(disk / "file", std::string(10000, 'x'));
    ADD_FAILURE() << "a full disk took a file";
  } catch (const DiskFull& error) {
    EXPECT_TRUE(tells_of_full_disk("12:00:00 " + std::string(error.what()))) << error.what();
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(disk), {}), 1) << "a draft was left";
}

}  // namespace
}  // namespace scalelaw
