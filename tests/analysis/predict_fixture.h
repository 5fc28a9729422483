// A sweep of synthetic runs, of which one is held out.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "analysis/predict/held_out.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {

namespace fs = std::filesystem;

class PredictTest : public testing::Test {
 protected:
  // Seven sizes on a power law, and an eighth that is held out and not begun.
  std::vector<SyntheticRun> ladder() const {
    std::vector<SyntheticRun> runs = power_law_runs("transformer", 2.2, .1, .004, 8, 1, 5);
    runs.back().prediction = "hero";
    runs.back().started = false;
    return runs;
  }
  fs::path write(const std::vector<SyntheticRun>& runs) const {
    return write_synthetic_sweep(runs_, "s", runs);
  }
  static std::string error_of(const std::function<void()>& call) {
    try {
      call();
      return "";
    } catch (const ConfigError& error) {
      return error.what();
    }
  }
  static std::string refusal(const fs::path& record) {
    return error_of([&] { predict_held_out(record, {}); });
  }
  static PredictedCell predicted(const fs::path& record) {
    return predict_held_out(record, {}).predictions.at(0).cells.at(0);
  }

  TempDir temp_;
  fs::path runs_ = temp_.path() / "runs";
};

}  // namespace scalelaw
