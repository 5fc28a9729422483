// Sweeps that disk or memory has no room for, by the program.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "tests/sweeps/sweep_program_fixture.h"
#include "trainer/machine_memory.h"

namespace scalelaw {
namespace {

TEST_F(SweepProgram, ARunWithoutRoomOnTheDiskPausesTheSweep) {
  write_spec("[1, 2, 3, 4]");
  behave("1:hang,ok;2:full,ok;3:full,ok;4:full,ok");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 3) << result.output;
  EXPECT_NE(result.output.find("pausing: metrics.0001.jsonl: a line could not be written: No space "
                               "left on device; stopping 1 run\n"),
            std::string::npos)
      << result.output;
  int64_t tried = 0;
  for (std::size_t i = 0; i < 4; ++i) tried += attempts(i);
  EXPECT_EQ(tried, 2) << "nothing new was started, and nothing again";
  EXPECT_EQ(result.output.find("failed"), std::string::npos) << result.output;
  behave("");
  EXPECT_EQ(run().exit_code, 0) << "the same command goes on";
}

// Of two that take 90% of what is available by the estimate, which the stand-in does not.
TEST_F(SweepProgram, WhatHasNoRoomInMemoryBesideARunWaitsForItsEnd) {
  const auto write_large = [&](int64_t batch_tokens) {
    const std::string batch = std::to_string(batch_tokens);
    std::ofstream(spec_) << "spec: 1\nname: s\ndata: {train: large, test: {large: 512}}\n"
                            "horizon: {steps: 40}\nmodel: {n_ctx: 256, d_model: 640, n_layer: 8}\n"
                            "how: {recompute: none, micro_batch_tokens: " +
                                batch + "}\ntrain: {batch_tokens: " + batch +
                                "}\nevaluate: {tokens: 512}\nseeds: {init: [1, 2]}\n";
    const ProgramResult plan = run_program(command("plan", {"--json"}));
    if (plan.exit_code != 0) throw std::runtime_error(plan.output);
    return nlohmann::json::parse(plan.output).at("cells").at(0).at("memory_bytes").get<double>();
  };
  const std::optional<double> available = available_memory_bytes();
  if (!available) GTEST_SKIP() << "what memory is available is not told here";
  write_tiny_data_set(temp_.path() / "data", {.name = "large", .train_tokens = 8 << 20});
  constexpr int64_t kWindow = 256, kSmall = 64 * kWindow;
  const double small = write_large(kSmall), per_window = (write_large(2 * kSmall) - small) / 64;
  write_large(kWindow * static_cast<int64_t>((0.9 * *available - small) / per_window) + kSmall);
  behave("1:pace");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("waiting for room beside the runs in progress: "), std::string::npos)
      << result.output;
  EXPECT_EQ(share_of_machine(0), "1");
  EXPECT_EQ(share_of_machine(1), "1") << "after the first, which takes a second";
}

TEST_F(SweepProgram, AnotherDisksFullnessIsARunsFailureAndNoPause) {
  write_spec("[1, 2]");
  behave("1:shm");
  const ProgramResult result = run({"--retries", "0"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_EQ(states(), "failed complete");
}

TEST_F(SweepProgram, DiskThatFailsTheLauncherEndsItInOrder) {
  write_spec("[1, 2]");
  ASSERT_EQ(run().exit_code, 0);
  const SweepRecord record = read_sweep_record(sweep_record_file(runs_, "s"));
  for (const SweepCell& cell : record.cells) fs::remove_all(runs_ / cell.folder);
  const std::string second = record.cells[1].content_hash.substr(0, 12) + ".yaml";
  fs::remove(runs_ / "sweeps/s/cells" / second);
  fs::create_directories(runs_ / "sweeps/s/cells" / second / "in the way");
  const ProgramResult result = run();
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("stopped: "), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("Go on with:"), std::string::npos) << result.output;
  EXPECT_NE(states().find("missing"), std::string::npos) << states();
}

}  // namespace
}  // namespace scalelaw
