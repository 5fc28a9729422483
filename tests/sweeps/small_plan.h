// A sweep `s` of small runs, planned over a tiny data set.
#pragma once

#include <filesystem>
#include <string>

#include "sweeps/plan/plan.h"
#include "tests/support/tiny_data_set.h"

namespace scalelaw {

// Data set and store lie in `folder`. `cells`: what the runs differ in, as a sweep file says it.
inline Plan small_plan(const std::filesystem::path& folder,
                       const std::string& cells = "grid: {seeds.init: [1, 2, 3, 4]}",
                       PlanOptions options = {}) {
  write_tiny_data_set(folder / "data");
  options.data = folder / "data";
  options.runs = folder / "runs";
  return make_plan(parse_sweep_spec("{spec: 1, name: s, data: {train: tiny, test: {tiny: 512}}, "
                                    "horizon: {tokens: 2000}, model: {n_ctx: 8, d_model: 64}, "
                                    "train: {batch_tokens: 32}, evaluate: {tokens: 64}, " +
                                        cells + "}",
                                    "s.yaml"),
                   options);
}

}  // namespace scalelaw
