// A store whose name would do something on a terminal or in a log: whatever ends the trainer there
// is told in one line.
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/small_disk.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/run_lease.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class HostilePaths : public testing::Test {
 protected:
  HostilePaths() {
    write_tiny_data_set(temp_.path() / "data");
    std::ofstream(temp_.path() / "run.yaml")
        << "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\nhorizon: {tokens: 30000000}\n"
           "model: {n_layer: 1, d_model: 8, n_head: 2, n_ctx: 16}\n"
           "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
           "how: {checkpoint_every_seconds: 0.05, progress_every_seconds: 0}\n";
    setenv("SCALELAW_HEARTBEAT_SECONDS", "0.05", 1);
  }
  ~HostilePaths() override { unsetenv("SCALELAW_HEARTBEAT_SECONDS"); }

  std::vector<std::string> train() const {
    return {"scalelaw-train",
            "train",
            (temp_.path() / "run.yaml").string(),
            "--runs",
            runs_.string(),
            "--data",
            (temp_.path() / "data").string(),
            "--device",
            "cpu",
            "--threads",
            "1"};
  }
  // One line of which tells `part` of the store.
  static void expect_told(const std::string& output, const std::string& part) {
    EXPECT_EQ(output.find('\x1b'), std::string::npos) << output;
    const std::size_t at = output.find(part);
    ASSERT_NE(at, std::string::npos) << output;
    const std::size_t begin = output.rfind('\n', at) + 1;
    EXPECT_NE(output.substr(begin, at - begin).find("the\\nruns \\x1b[31m"), std::string::npos)
        << output;
  }

  TempDir temp_;
  fs::path runs_ = temp_.path() / "the\nruns \x1b[31m";
};

TEST_F(HostilePaths, ARunThatIsTakenOverIsNamedInOneLine) {
  const fs::path log = temp_.path() / "log";
  const pid_t trainer = start_program(train(), log);
  const auto run = [&] {
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(runs_, none)) {
      if (fs::exists(entry.path() / "checkpoints")) return entry.path();
    }
    return fs::path();
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (run().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  ASSERT_FALSE(run().empty()) << read_whole_file(log);
  std::ofstream(run() / "lease.0002.json") << "{}";
  EXPECT_EQ(wait_for(trainer).exit_code, 3);
  expect_told(read_whole_file(log), kTakenOver);
}

TEST_F(HostilePaths, AStoreThatIsFullIsNamedInOneLine) {
  if (const std::string why = mount_small_disk(runs_, 1 << 20); !why.empty()) GTEST_SKIP() << why;
  fill_disk(runs_ / "filler");
  const ProgramResult result = run_program(train());
  EXPECT_EQ(result.exit_code, 3) << result.output;
  expect_told(result.output, "No space left on device; make room");
}

}  // namespace
}  // namespace scalelaw
