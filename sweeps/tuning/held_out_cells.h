// Which cells of a plan wait until what they will come to is predicted and written down.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeps/language/expression.h"
#include "sweeps/plan/plan.h"
#include "sweeps/plan/study_cells.h"
#include "trainer/prediction.h"
#include "trainer/run_identity.h"

namespace scalelaw {

class HeldOutCells {
 public:
  // All outlive it. `spec` has a hold_out.
  HeldOutCells(const SweepSpec& spec, const PlanOptions& options, DataSetHeaders& data,
               ExpressionCache& expressions);

  // Every point, with its cell; one that merges into a held-out cell is held out with it.
  // ConfigError and KeyError of what cannot be predicted.
  void note(const SweepPoint& point, PlannedCell& cell, bool is_scanned);

  // Once all are noted. ConfigError: none is held out or all are. Writes held_out_fault and
  // held_out_doubt where what is registered under the prediction's name is of other cells, or
  // cannot be read; the first too where cells of the study would begin before it has predicted
  // them.
  void check(Plan& plan);

 private:
  const std::string& predicted_test_set(const RunConfig& config);
  std::set<std::string> test_sets_of(const RunConfig& config);  // by their own names
  // Whether the cell waits for no prediction: it has ended, is left out, or was predicted.
  bool may_start(const PlannedCell& cell) const;
  bool holds(const PlannedCell& cell) const;  // what is registered does, on whatever test set
  void look_up();                             // once
  bool is_taken() const { return prediction_ || !unreadable_.empty(); }
  std::string taken_text() const;  // by whom, or why what is there cannot be read
  std::string refusal_text(const PlannedCell& first, int64_t refused);
  std::string begun_before_its_study() const;  // a cell that would be; "": none
  // Of a sweep with settings that predicts for its study, a cell that it leaves out and the study
  // does not; "": none.
  std::string left_out_here(const Plan& plan) const;
  // By but_for_rate(); of those that are excluded folders without their hashes, too.
  std::set<std::string> begun_in_study() const;
  SourcedText name() const;  // of the prediction

  const SweepSpec& spec_;
  const HoldOut& where_;
  const PlanOptions& options_;
  DataSetHeaders& data_;
  ExpressionCache& expressions_;
  std::string name_;                         // of the prediction
  std::vector<StudyShare::HeldOut> shared_;  // that the study predicts under its own name
  bool was_looked_up_ = false;
  std::optional<Prediction> prediction_;
  std::string unreadable_;  // why; "": it can be read, or is not there
  std::optional<std::string> test_set_;
  int64_t held_out_ = 0;
};

}  // namespace scalelaw
