// A run table in memory, a run at a time: N and ln L of our choosing.
#pragma once

#include <cmath>
#include <string>

#include "analysis/arm_laws.h"

namespace scalelaw {

// One run of its own recipe; its head adds 512 x 10 parameters to N.
inline void add_run(RunTable& table, const std::string& arm, double n, double ln_loss) {
  RunRow row;
  row.arm = arm;
  row.folder_name = arm + std::to_string(table.rows.size());
  row.record.recipe_hash = row.record.content_hash = row.folder_name;
  row.record.shape.n_vocab = 512;
  row.record.shape.d_model = 10;
  row.record.train_tokens = 1'000'000;
  row.record.counts.parameters.attention = static_cast<int64_t>(std::rint(n));
  TestResult& test = row.record.test["default"];
  test.loss_nats = std::exp(ln_loss);
  test.standard_error_nats = 0.01;
  table.rows.push_back(row);
}

inline LawOptions ladder_options() {
  LawOptions options;
  options.selection.test_set = "default";
  options.selection.train_tokens = 1e6;
  options.bootstrap_replicates = 0;
  return options;
}

}  // namespace scalelaw
