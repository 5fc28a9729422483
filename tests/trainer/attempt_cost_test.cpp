#include "trainer/attempt_cost.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <thread>
#include <vector>

#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/clock.h"

namespace scalelaw {
namespace {

class AttemptCostTest : public testing::Test {
 protected:
  AttemptCostTest() { setenv("SCALELAW_HEARTBEAT_SECONDS", "0.01", 1); }
  ~AttemptCostTest() override { unsetenv("SCALELAW_HEARTBEAT_SECONDS"); }
  std::unique_ptr<CostBook> open(int attempt, int64_t first_step, double cores = 2) {
    return std::make_unique<CostBook>(folder_, AttemptCost{attempt, first_step}, 64,
                                      CostBook::Share{.cores = cores}, monotonic_seconds() - 10);
  }
  TempDir temp_;
  RunFolder folder_{temp_.path()};
};

TEST_F(AttemptCostTest, KnowsTheMemoryOfAProcessThatTrainsOneRun) {
  CostBook(folder_, AttemptCost{1}, 64, {.cores = 1}, monotonic_seconds()).close("interrupted");
  CostBook(folder_, AttemptCost{2}, 64, {.cores = 0.5, .is_alone = false}, monotonic_seconds())
      .close("complete");
  const std::vector<AttemptCost> costs = read_costs(folder_);
  EXPECT_GT(costs.at(0).peak_bytes, 1e6);
  EXPECT_LT(costs.at(0).peak_bytes, 1e12);
  EXPECT_EQ(costs.at(1).peak_bytes, 0);
  EXPECT_EQ(ledger_of(costs, 0).peak_bytes, costs.at(0).peak_bytes);
}

TEST_F(AttemptCostTest, IsWhatTheAttemptDidUntilItWasClosed) {
  const auto book = open(3, 100);
  for (int i = 0; i < 7; ++i) book->count_step();
  book->close("complete");
  book->close("failed");
  book->count_step();
  book->note();
  const std::vector<AttemptCost> costs = read_costs(folder_);
  ASSERT_EQ(costs.size(), 1u);
  EXPECT_EQ(costs[0].number, 3);
  EXPECT_EQ(costs[0].last_step(), 107);
  EXPECT_EQ(costs[0].train_tokens, 7 * 64);
  EXPECT_GE(costs[0].wall_seconds, 10);
  EXPECT_EQ(costs[0].core_seconds, 2 * costs[0].wall_seconds);
  EXPECT_EQ(costs[0].gpu_seconds, 0);
  EXPECT_EQ(costs[0].end, "complete");
}

// As a checkpoint's thread notes it while training ends with a fault.
TEST_F(AttemptCostTest, EndStaysWhateverOtherThreadsNoteMeanwhile) {
  for (int attempt = 1; attempt <= 20; ++attempt) {
    const auto book = open(attempt, 0);
    std::atomic<bool> done = false;
    std::vector<std::jthread> noting;
    for (int i = 0; i < 4; ++i) {
      noting.emplace_back([&] {
        while (!done) book->note();
      });
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    book->close("failed");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    done = true;
    noting.clear();
    EXPECT_EQ(read_costs(folder_).back().end, "failed") << attempt;
  }
}

TEST_F(AttemptCostTest, KilledAttemptHasLeftWhatItsLastHeartbeatSaw) {
  const pid_t child = fork();
  if (child == 0) {
    const auto book = open(1, 0);
    for (int i = 0; i < 5; ++i) book->count_step();
    for (;;) pause();
  }
  const auto steps = [&] {
    const std::vector<AttemptCost> costs = read_costs(folder_);
    return costs.empty() ? 0 : costs[0].steps;
  };
  while (steps() == 0) usleep(1000);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_EQ(steps(), 5);
  EXPECT_EQ(read_costs(folder_)[0].end, "");
}

TEST_F(AttemptCostTest, LedgerIsTheSumAndWhatIsTrainedTwiceIsWasted) {
  const auto add = [&](int attempt, int64_t first, int64_t steps) {
    const auto book = open(attempt, first);
    for (int i = 0; i < steps; ++i) book->count_step();
    book->close("failed");
  };
  add(1, 0, 50);   // killed at 50, its checkpoint at 40
  add(2, 40, 30);  // killed at 70, its checkpoint damaged
  std::ofstream(temp_.path() / "cost.0003.json") << "{torn";
  add(4, 40, 60);
  const RunLedger ledger = ledger_of(read_costs(folder_), 100);
  EXPECT_EQ(ledger.attempts, 4);
  EXPECT_EQ(ledger.unknown, 1);
  EXPECT_EQ(ledger.train_tokens, 140 * 64);
  EXPECT_EQ(ledger.wasted_tokens, 40 * 64);
  EXPECT_NEAR(ledger.wasted_core_seconds, ledger.core_seconds * 40 / 140, 1e-9);
  RunLedger sum = ledger;
  sum.add(ledger);
  EXPECT_EQ(sum.train_tokens, 2 * ledger.train_tokens);
  EXPECT_EQ(sum.unknown, 2);
  std::ofstream(temp_.path() / "cost.0005.json") << "{torn";
  EXPECT_EQ(ledger_of(read_costs(folder_), 100).wasted_tokens, 0) << "it may have kept them";
  EXPECT_EQ(ledger_of({}, 10).wasted_tokens, 0) << "folders of before there were cost files";
}

TEST_F(AttemptCostTest, NotesWhatItSharedGpuAndMachineWith) {
  const auto spend = [&](int attempt, const CostBook::Share& share, const Company& company) {
    AttemptCost begun{attempt};
    begun.company = company;
    CostBook(folder_, begun, 64, share, monotonic_seconds() - 600).close("failed");
  };
  spend(1, {.gpus = 1}, {.on_gpu = 2, .on_machine = 8});
  spend(2, {.cores = 1}, {.on_machine = 4});
  spend(3, {.cores = 1}, {});
  spend(4, {.gpus = 1}, {});
  const std::vector<AttemptCost> costs = read_costs(folder_);
  EXPECT_EQ(costs.at(0).company.on_gpu, 2);
  EXPECT_EQ(costs.at(0).company.on_machine, 8);
  EXPECT_EQ(costs.at(2).company.on_machine, 0);
  const RunLedger ledger = ledger_of(costs, 0);
  EXPECT_NEAR(ledger.device_seconds, 300 + 600, 5);
  EXPECT_NEAR(ledger.machine_seconds, 75 + 150, 5);
  EXPECT_NEAR(ledger.undivided_core_seconds, 600, 5);
  EXPECT_NEAR(ledger.undivided_gpu_seconds, 600, 5);
  RunLedger sum = ledger;
  sum.add(ledger);
  EXPECT_EQ(sum.device_seconds, 2 * ledger.device_seconds);
  EXPECT_EQ(sum.machine_seconds, 2 * ledger.machine_seconds);
  EXPECT_EQ(sum.undivided_core_seconds, 2 * ledger.undivided_core_seconds);
  EXPECT_EQ(sum.undivided_gpu_seconds, 2 * ledger.undivided_gpu_seconds);
}

TEST_F(AttemptCostTest, NumbersThatNoAttemptCanHaveAreNotKnown) {
  AttemptCost begun{1};
  begun.company = {.on_gpu = 2, .on_machine = 4};
  CostBook(folder_, begun, 64, {.cores = 2}, monotonic_seconds() - 10).close("failed");
  const std::string good = read_whole_file(temp_.path() / "cost.0001.json");
  ASSERT_EQ(read_costs(folder_).size(), 1u);
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"steps\":0", "\"steps\":-5"},
           {"\"steps\":0", "\"steps\":2.5"},
           {"\"train_tokens\":0", "\"train_tokens\":9223372036854775807"},
           {"\"gpu_seconds\":0", "\"gpu_seconds\":-1"},
           {"\"gpu_processes\":2", "\"gpu_processes\":0"},
           {"\"gpu_processes\":2", "\"gpu_processes\":5"},
           {"\"gpu_processes\":2", "\"gpus\":2"},
           {"\"machine_processes\":4", "\"machine_processes\":4.5"},
           {"\"machine_processes\":4", "\"machine_processes\":4294967296"},
           {"\"attempt\":1", "\"attempt\":4294967297"}}) {
    std::string bad = good;
    ASSERT_NE(bad.find(from), std::string::npos) << from;
    bad.replace(bad.find(from), from.size(), to);
    std::ofstream(temp_.path() / "cost.0001.json") << bad;
    ASSERT_EQ(read_costs(folder_).size(), 1u) << bad;
    EXPECT_FALSE(read_costs(folder_)[0].is_known) << bad;
    EXPECT_EQ(read_costs(folder_)[0].number, 1) << bad;
  }
}

}  // namespace
}  // namespace scalelaw
