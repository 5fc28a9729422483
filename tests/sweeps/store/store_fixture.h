// A store of four complete runs, two sizes of two architectures, and the sweep "many" that asked
// for them.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "sweeps/language/sweep_spec.h"
#include "sweeps/store/store_runs.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "tests/support/trained_runs.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/checkpoint_files.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

namespace fs = std::filesystem;

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    write_tiny_data_set(temp_.path() / "data");
    PlanOptions options;
    options.runs = runs_;
    options.data = temp_.path() / "data";
    plan_ = make_plan(parse_sweep_spec(many_runs_spec(4), "many.yaml"), options);
    write_trained_runs(plan_, {.metrics_lines = 5, .test_windows = 4});
  }

  std::string name(std::size_t cell) const { return plan_.cells.at(cell).folder; }
  RunFolder folder(std::size_t cell) const { return {runs_ / name(cell)}; }
  std::vector<StoreRun> all() const { return read_store(runs_).runs; }
  std::vector<StoreRun> where(const std::string& filter) const {
    return choose(read_store(runs_), runs_, {{}, "", RunFilter(filter, fact_keys())});
  }
  // The cell's run begun and not ended, with a checkpoint as the trainer leaves them.
  void make_unfinished(std::size_t cell) const {
    fs::remove(folder(cell).record());
    fs::remove(folder(cell).merged_metrics());
  }
  static std::string text_of(const fs::path& file) { return read_whole_file(file); }
  static void overwrite(const fs::path& file, const std::string& content) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << content;
  }
  // What is below a folder but for the store's index: name and content of every file.
  static std::map<std::string, std::string> files_below(const fs::path& root) {
    std::map<std::string, std::string> files;
    if (!fs::exists(root)) return files;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string file = entry.path().lexically_relative(root).string();
      const bool is_index = entry.path().filename() == ".index";
      if (entry.is_regular_file() && !is_index) files[file] = text_of(entry.path());
    }
    return files;
  }
  template <typename Call>
  static std::string error_of(const Call& call) {
    try {
      call();
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  TempDir temp_;
  fs::path runs_ = temp_.path() / "the runs";
  Plan plan_;
};

}  // namespace scalelaw
