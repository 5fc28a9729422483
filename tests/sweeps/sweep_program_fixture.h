// A sweep of one cell a seed, run by the program as a user would, with a stand-in for the trainer
// (tests/support/fake_trainer_main.cpp).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/program.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

namespace fs = std::filesystem;

class SweepProgram : public testing::Test {
 protected:
  SweepProgram() {
    write_tiny_data_set(temp_.path() / "data");
    unsetenv("FAKE_TRAINER");
  }

  // A sweep with one cell for each seed.
  void write_spec(const std::string& seeds, int n_ctx = 8) {
    std::ofstream(spec_) << "spec: 1\nname: s\ndata: {train: tiny, test: {tiny: 512}}\n"
                            "horizon: {tokens: 2000}\nmodel: {n_ctx: "
                         << n_ctx
                         << ", d_model: 16}\n"
                            "train: {batch_tokens: 32}\nevaluate: {tokens: 64}\n"
                            "blocks: [{name: b, grid: {seeds.init: "
                         << seeds << "}}]\n";
  }
  void behave(const std::string& script) { setenv("FAKE_TRAINER", script.c_str(), 1); }

  std::vector<std::string> command(const std::string& verb,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"scalelaw-sweep",
                                      verb,
                                      spec_.string(),
                                      "--runs",
                                      runs_.string(),
                                      "--data",
                                      (temp_.path() / "data").string()};
    if (verb == "run") {
      words.insert(words.end(), {"--trainer", SCALELAW_FAKE_TRAINER, "--jobs", jobs_});
      words.insert(words.end(), {"--device", device_});
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  ProgramResult run(const std::vector<std::string>& more = {}) const {
    return run_program(command("run", more));
  }
  // What status says of the cell of each seed, in the file's order.
  nlohmann::json status() const {
    const ProgramResult result = run_program(command("status", {"--json"}));
    EXPECT_EQ(result.exit_code, 0) << result.output;
    return nlohmann::json::parse(result.output).at("cells");
  }
  std::string states() const {
    std::string text;
    for (const auto& cell : status()) {
      text += (text.empty() ? "" : " ") + cell.at("state").get<std::string>();
    }
    return text;
  }
  std::string folder_of(std::size_t cell) const {
    return read_sweep_record(sweep_record_file(runs_, "s")).cells.at(cell).folder;
  }
  // Among how many processes the machine was shared, as its last attempt was told.
  std::string share_of_machine(std::size_t cell) const {
    const std::string log = text_of(runs_ / "sweeps" / "s" / "logs" / (folder_of(cell) + ".log"));
    const std::string option = "--share-machine ";
    const std::size_t at = log.rfind(option);
    if (at == std::string::npos) return "";
    return log.substr(at + option.size(), log.find('\n', at) - at - option.size());
  }
  // Attempts that the stand-in counted.
  int64_t attempts(std::size_t cell) const {
    const fs::path counter = runs_ / folder_of(cell) / "fake_attempts";
    return fs::exists(counter) ? static_cast<int64_t>(fs::file_size(counter)) : 0;
  }
  std::string text_of(const fs::path& file) const {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }
  static void wait_until(const std::function<bool()>& holds) {
    for (int i = 0; i < 1000; ++i) {
      if (holds()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << "waited for in vain";
  }
  // Cells that run and have written their first line, so that a checkpoint is there.
  int64_t running() const {
    const nlohmann::json cells = status();
    return std::count_if(cells.begin(), cells.end(), [](const nlohmann::json& cell) {
      return cell.at("state") == "running" && cell.at("step") > 0;
    });
  }

  TempDir temp_;
  std::string device_ = "cpu", jobs_ = "2";
  fs::path spec_ = temp_.path() / "a sweep's file.yaml";
  fs::path runs_ = temp_.path() / "the runs";
};

}  // namespace scalelaw
