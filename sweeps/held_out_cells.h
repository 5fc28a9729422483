// Which cells of a plan wait until what they will come to is predicted and written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sweeps/expression.h"
#include "sweeps/plan.h"
#include "trainer/prediction.h"
#include "trainer/run_identity.h"

namespace scalelaw {

class HeldOutCells {
 public:
  // All outlive it. `spec` has a hold_out.
  HeldOutCells(const SweepSpec& spec, const PlanOptions& options, DataSetHeaders& data,
               ExpressionCache& expressions)
      : spec_(spec),
        where_(*spec.hold_out),
        options_(options),
        data_(data),
        expressions_(expressions) {}

  // Every point, with its cell; one that merges into a held-out cell is held out with it.
  // ConfigError and KeyError of what cannot be predicted.
  void note(const SweepPoint& point, PlannedCell& cell, bool is_scanned);

  // Once all are noted. ConfigError: none is held out or all are, or something else is registered
  // under the prediction's name.
  void check(const Plan& plan) const;

 private:
  const std::string& predicted_test_set(const RunConfig& config);
  bool is_predicted(const PlannedCell& cell);

  const SweepSpec& spec_;
  const HoldOut& where_;
  const PlanOptions& options_;
  DataSetHeaders& data_;
  ExpressionCache& expressions_;
  std::optional<std::optional<Prediction>> prediction_;  // once it was looked for
  std::optional<std::string> test_set_;
  int64_t held_out_ = 0;
};

}  // namespace scalelaw
