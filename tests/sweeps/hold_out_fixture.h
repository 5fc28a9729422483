// Plans of a sweep that holds its largest cell out, and predictions of it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/sweeps/plan_fixture.h"
#include "trainer/prediction.h"

namespace scalelaw {

inline const std::string kHeldOut = kBase +
                                    "grid: {model.d_model: [16, 32, 64]}\n"
                                    "hold_out: {where: N > 40k, register: largest}\n";

class HoldOutTest : public PlanTest {
 protected:
  void predict(const PlannedCell& cell, const std::string& sweep = "s",
               const std::string& test_set = "tiny") {
    Prediction prediction;
    prediction.name = "largest";
    prediction.sweep = sweep;
    prediction.registered_at = "2026-01-02T03:04:05Z";
    prediction.n_count = "non_embedding";
    prediction.test_set = test_set;
    prediction.metric = "nats_per_token";
    PredictedCell predicted;
    predicted.content_hash = cell.content_hash;
    predicted.folder = cell.folder;
    predicted.arm = "transformer";
    predicted.runs = {cell.content_hash};
    predicted.n = predicted.d = 1e4;
    predicted.loss = 2;
    predicted.low = 1;
    predicted.high = 3;
    predicted.laws = {{"power", "L = (N_c / N)^a", "D = 2000 tokens", {{"a", 0.1}}}};
    prediction.runs = {{cell.content_hash, "some_run"}};
    prediction.cells = {predicted};
    ASSERT_TRUE(publish_prediction(options_.runs, prediction));
  }
  // A file of the cell's run, as if it had begun or ended.
  void write_in_run(const PlannedCell& cell, const std::string& name, const std::string& text) {
    const std::filesystem::path file = options_.runs / cell.folder / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
};

}  // namespace scalelaw
