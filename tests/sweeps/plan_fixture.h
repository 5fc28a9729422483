// A store and a tiny data set, and plans of sweeps over it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "sweeps/plan/plan.h"
#include "tests/support/temp_dir.h"
#include "tests/support/tiny_data_set.h"
#include "trainer/config_error.h"

namespace scalelaw {

// Fits the tiny data set: 17 tokens in the vocabulary, 4096 in its train split.
inline const std::string kBase = R"(
spec: 1
name: s
data: {train: tiny, test: {tiny: 512}}
horizon: {tokens: 2000}
model: {n_ctx: 8, n_head: 2, d_model: 16, n_layer: 1}
train: {batch_tokens: 32}
evaluate: {tokens: 64}
)";

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    write_tiny_data_set(temp_.path() / "data");
    options_.data = temp_.path() / "data";
    options_.runs = temp_.path() / "runs";
  }
  Plan plan(const std::string& yaml) const {
    return make_plan(parse_sweep_spec(yaml, "s.yaml"), options_);
  }
  std::string error_of(const std::string& yaml) const {
    try {
      plan(yaml);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }

  TempDir temp_;
  PlanOptions options_;
};

}  // namespace scalelaw
