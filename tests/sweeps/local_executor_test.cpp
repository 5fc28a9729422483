#include "sweeps/executors/local.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

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

}  // namespace
}  // namespace scalelaw
