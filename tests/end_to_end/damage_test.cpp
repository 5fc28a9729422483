// A run whose files were damaged: what is whole is used, what is not is named with its remedy, and
// the runs beside it do not suffer.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/atomic_file.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class Damage : public testing::Test {
 protected:
  Damage() { write_tiny_data_set(temp_.path() / "data"); }

  std::string in(const std::string& name) const { return (temp_.path() / name).string(); }
  void put_run(int64_t d_model, int64_t tokens, const std::string& how = "") const {
    std::ofstream(in("run.yaml")) << "spec: 1\ndata: {train: tiny, test: {tiny: 512}}\n"
                                  << "horizon: {tokens: " << tokens << "}\n"
                                  << "model: {n_layer: 1, d_model: " << d_model
                                  << ", n_head: 2, n_ctx: 16}\n"
                                  << "train: {batch_tokens: 64}\nevaluate: {tokens: 64}\n"
                                  << how;
  }
  std::vector<std::string> words(const std::string& store) const {
    return {"scalelaw", "train",    in("run.yaml"), "--runs",    in(store), "--data",
            in("data"), "--device", "cpu",          "--threads", "1"};
  }
  ProgramResult train(const std::string& store = "runs") const { return run_program(words(store)); }
  RunFolder only_folder(const std::string& store = "runs") const {
    return {fs::directory_iterator(in(store))->path()};
  }
  static std::vector<fs::path> checkpoints(const RunFolder& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder.checkpoints(), error)) {
      if (entry.path().filename().string().starts_with("step-")) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static void cut_short(const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }
  // As bad input's: one line of the one form, and nothing else.
  static void expect_refused(const ProgramResult& result, const std::vector<std::string>& parts) {
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_TRUE(result.output.starts_with("scalelaw train: error: ")) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    for (const std::string& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos) << part << "\n" << result.output;
    }
  }

  TempDir temp_;
};

TEST_F(Damage, CheckpointCutShortFallsBackToTheOneBefore) {
  put_run(16, 400'000, "how: {checkpoint_every_seconds: 0.01, progress_every_seconds: 0}\n");
  const pid_t pid = start_program(words("runs"), temp_.path() / "log");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto two_are_there = [&] {
    return fs::exists(in("runs")) && !fs::is_empty(in("runs")) &&
           checkpoints(only_folder()).size() >= 2;
  };
  while (!two_are_there() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  kill(pid, SIGKILL);
  ASSERT_EQ(wait_for(pid).signal, SIGKILL) << read_whole_file(temp_.path() / "log");
  const std::vector<fs::path> files = checkpoints(only_folder());
  ASSERT_GE(files.size(), 2u);
  cut_short(files.back());

  const ProgramResult result = train();
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find(files.back().string()), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("falling back to the checkpoint before"), std::string::npos)
      << result.output;
  const std::string name = files[files.size() - 2].stem().string();
  EXPECT_NE(result.output.find("resumed at step " + std::to_string(std::stoll(name.substr(5)))),
            std::string::npos)
      << result.output;
  const RunRecord record = read_run_record(only_folder());
  EXPECT_TRUE(std::ranges::any_of(
      record.events, [](const RunEvent& event) { return event.kind == "checkpoint_rejected"; }));

  put_run(16, 400'000);  // provenance differs, the run does not
  ASSERT_EQ(train("whole").exit_code, 0);
  EXPECT_EQ(read_whole_file(only_folder("whole").window_losses()),
            read_whole_file(only_folder().window_losses()));
}

TEST_F(Damage, CheckpointOfAnotherShapeIsRefusedAndKept) {
  put_run(8, 640);
  ASSERT_EQ(train("small").exit_code, 0);
  put_run(16, 640);
  ASSERT_EQ(train("whole").exit_code, 0);
  ASSERT_EQ(train().exit_code, 0);
  const RunFolder folder = only_folder();
  const fs::path own = checkpoints(folder).at(0);
  fs::remove(folder.record());
  fs::copy_file(checkpoints(only_folder("small")).at(0), own, fs::copy_options::overwrite_existing);

  const ProgramResult refused = train();
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find(own.string() + ": belongs to another configuration"),
            std::string::npos)
      << refused.output;
  EXPECT_TRUE(fs::exists(own));
  fs::remove(own);  // as the message says
  EXPECT_NE(refused.output.find("move the folder's checkpoints away"), std::string::npos);
  ASSERT_EQ(train().exit_code, 0);
  EXPECT_EQ(read_whole_file(only_folder("whole").window_losses()),
            read_whole_file(folder.window_losses()));
}

TEST_F(Damage, RecordThatIsDamagedIsNamedWithARemedyThatWorks) {
  put_run(8, 640);
  ASSERT_EQ(train().exit_code, 0);
  const fs::path record = only_folder().record();
  const std::string whole = read_whole_file(record);
  const double loss = read_run_record(only_folder()).test.at("tiny").loss_nats;
  cut_short(record);
  expect_refused(train(), {record.string() + ": is damaged: cut short after ", "remove this file"});
  const std::string steps = "\"steps\": 10";
  ASSERT_NE(whole.find(steps), std::string::npos);
  std::ofstream(record) << std::string(whole).replace(whole.find(steps), steps.size(),
                                                      "\"steps\": \"ten\"");
  expect_refused(train(), {"is damaged: steps must be a whole number, is \"ten\""});
  fs::remove(record);
  const ProgramResult again = train();
  EXPECT_EQ(again.exit_code, 0) << again.output;
  EXPECT_NE(again.output.find("resumed at step 10"), std::string::npos) << again.output;
  EXPECT_EQ(read_run_record(only_folder()).test.at("tiny").loss_nats, loss);
}

TEST_F(Damage, StatusAndReportGoOnWithTheOtherCells) {
  std::ofstream(in("sweep.yaml"))
      << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
         "horizon: {tokens: 640}\ntrain: {batch_tokens: 64}\n"
         "evaluate: {tokens: 64}\n"
         "model: {n_layer: 1, n_head: 2, n_ctx: 16}\n"
         "blocks:\n  - {name: b, grid: {model.d_model: [4, 8, 12, 16]}}\n";
  const auto sweep = [&](const std::string& verb) {
    return run_program(
        {"scalelaw", "sweep", verb, in("sweep.yaml"), "--runs", in("runs"), "--data", in("data")});
  };
  const ProgramResult ran = sweep("run");
  ASSERT_EQ(ran.exit_code, 0) << ran.output;
  fs::path damaged;
  for (const auto& entry : fs::directory_iterator(in("runs"))) {
    if (entry.path().filename().string().find("w12_") != std::string::npos) damaged = entry.path();
  }
  ASSERT_FALSE(damaged.empty());
  cut_short(damaged / "run.json");

  const ProgramResult status = sweep("status");
  EXPECT_EQ(status.exit_code, 0) << status.output;
  EXPECT_NE(status.output.find("3 complete, 1 failed"), std::string::npos) << status.output;
  EXPECT_NE(status.output.find("run.json: is damaged: cut short"), std::string::npos)
      << status.output;
  const ProgramResult fit =
      run_program({"scalelaw", "fit", in("runs/sweeps/s.json"), "--bootstrap", "0"});
  EXPECT_EQ(fit.exit_code, 0) << fit.output;
  EXPECT_NE(fit.output.find(damaged.filename().string()), std::string::npos) << fit.output;
  EXPECT_NE(fit.output.find("is damaged: cut short"), std::string::npos) << fit.output;
}

}  // namespace
}  // namespace scalelaw
