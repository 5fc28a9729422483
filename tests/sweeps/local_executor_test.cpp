#include "sweeps/executors/local.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

TEST(LocalExecutor, TellsHowAChildEnded) {
  const TempDir temp;
  LocalExecutor executor;
  const pid_t child = executor.start({{"/bin/sh", "-c", "exit 3"}, temp.path() / "log"});
  LocalExecutor::Event event;
  for (int i = 0; i < 100 && event.ended == 0; ++i) event = executor.wait(0.1);
  EXPECT_EQ(event.ended, child);
  EXPECT_EQ(event.end.exit_code, 3);
  EXPECT_EQ(executor.running(), 0u);
}

TEST(LocalExecutor, ChildWhoseEndWasTakenElsewhereHasEnded) {
  const TempDir temp;
  LocalExecutor executor;
  const pid_t child = executor.start({{"/bin/sh", "-c", "exit 3"}, temp.path() / "log"});
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(executor.wait(0.1).ended, child);
  EXPECT_EQ(executor.running(), 0u);
}

TEST(LocalExecutor, ChildHasNoInputAndNoDescriptorOfTheExecutor) {
  const TempDir temp;
  const fs::path own = "/proc/self/fd";
  // Either count has the open folder's own.
  const auto inherited = std::distance(fs::directory_iterator(own), fs::directory_iterator());
  LocalExecutor executor;
  const fs::path log = temp.path() / "log";
  executor.start({{"/bin/ls", "-l", own}, log});
  for (int i = 0; i < 100 && executor.wait(0.1).ended == 0; ++i) continue;
  const std::string text = read_whole_file(log);
  EXPECT_NE(text.find(" 0 -> /dev/null"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '>'), inherited) << text;
}

}  // namespace
}  // namespace scalelaw
