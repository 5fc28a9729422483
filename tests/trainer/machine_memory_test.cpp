#include "trainer/machine_memory.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

void put(const std::filesystem::path& file, const std::string& text) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << text << '\n';
}

TEST(MemoryLimit, IsTheLeastOfAGroupAndThoseAboveIt) {
  const TempDir temp;
  EXPECT_EQ(memory_limit(temp.path(), "0::/a/b\n"), std::nullopt);
  put(temp.path() / "a/b/memory.max", "max");
  EXPECT_EQ(memory_limit(temp.path(), "0::/a/b\n"), std::nullopt);
  put(temp.path() / "a/memory.max", "4294967296");
  EXPECT_EQ(memory_limit(temp.path(), "0::/a/b\n"), 4294967296.0);
  put(temp.path() / "a/b/memory.max", "1048576");
  EXPECT_EQ(memory_limit(temp.path(), "0::/a/b\n"), 1048576.0);
  EXPECT_EQ(memory_limit(temp.path(), "0::/elsewhere\n"), std::nullopt);
}

TEST(MemoryLimit, OfVersionOneLiesInTheControllersFolder) {
  const TempDir temp;
  put(temp.path() / "memory/docker/memory.limit_in_bytes", "2097152");
  EXPECT_EQ(memory_limit(temp.path(), "5:cpu:/docker\n4:memory:/docker\n"), 2097152.0);
  EXPECT_EQ(memory_limit(temp.path(), "5:cpu:/docker\n"), std::nullopt);
}

TEST(KillsForMemory, AreThoseOfTheInnermostGroupThatTellsElseOfTheMachine) {
  const TempDir temp;
  const std::filesystem::path machine = temp.path() / "vmstat";
  const auto kills = [&](const char* groups) {
    return kills_for_memory(temp.path(), groups, machine);
  };
  EXPECT_EQ(kills("0::/a/b\n"), std::nullopt);
  put(machine, "nr_free_pages 12\noom_kill 9\nnuma_hit 1");
  EXPECT_EQ(kills("0::/a/b\n"), 9);
  put(temp.path() / "a/memory.events", "max 7\noom 3\noom_kill 5\noom_group_kill 0");
  EXPECT_EQ(kills("0::/a/b\n"), 5);
  put(temp.path() / "a/b/memory.events", "oom_kill 2");
  EXPECT_EQ(kills("0::/a/b\n"), 2);
  put(temp.path() / "memory/docker/memory.oom_control", "under_oom 0\noom_kill 4");
  EXPECT_EQ(kills("5:cpu:/docker\n4:memory:/docker\n"), 4);
  put(temp.path() / "a/b/memory.events", "oom_kill many");
  EXPECT_EQ(kills("0::/a/b\n"), 5);
}

TEST(MachineMemory, IsWhatTheMachineHasOrLess) {
  std::ifstream file("/proc/meminfo");
  std::string word;
  double kibibytes = 0;
  file >> word >> kibibytes;
  EXPECT_GT(machine_memory_bytes(), 1e6);
  EXPECT_LE(machine_memory_bytes(), 1024 * kibibytes * 1.001);
}

TEST(AvailableMemory, IsWhatTheKernelSays) {
  const TempDir temp;
  const std::filesystem::path account = temp.path() / "meminfo";
  put(account, "MemTotal:  100 kB\nMemFree:  10 kB\nMemAvailable:   30 kB\nBuffers: 5 kB");
  EXPECT_EQ(available_memory_bytes(account), 30 * 1024.0);
  put(account, "MemTotal:  100 kB");
  EXPECT_EQ(available_memory_bytes(account), std::nullopt);
  EXPECT_EQ(available_memory_bytes(temp.path() / "none"), std::nullopt);
  EXPECT_GT(available_memory_bytes().value_or(0), 0);
}

}  // namespace
}  // namespace scalelaw
