#include "sweeps/held_out_cells.h"

#include <filesystem>
#include <map>
#include <stdexcept>

#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/config_keys.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
void HeldOutCells::note(const SweepPoint& point, PlannedCell& cell, bool is_scanned) {
  const auto n_vocab = [&] { return data_.open(cell.config.data.train).n_vocab; };
  if (!holds(where_.where, "hold_out.where", point.config, n_vocab, expressions_)) return;
  if (!cell.n_params) {
    throw KeyError("model.arch", cell.shape.arch,
                   "gives no formula for N, which a prediction for hold_out needs");
  }
  if (is_scanned) {
    throw_config_error(where_.where, "hold_out.where",
                       "holds of a cell that tune.learning_rate.where scans too: its trials would "
                       "tell its loss before it is predicted");
  }
  cell.prediction = where_.name.text;
  cell.predicted_test_set = predicted_test_set(cell.config);
  ++held_out_;
  if (cell.waits != WaitsFor::kNothing) return;
  look_up();
  cell.is_predicted = prediction_ && prediction_->test_set == cell.predicted_test_set &&
                      prediction_->find(cell.content_hash) != nullptr;
  if (may_start(cell)) return;
  if (is_taken()) {
    cell.waits = WaitsFor::kAnotherName;
    cell.waits_for =
        "another name than hold_out.register = " + cell.prediction + ", which " + taken_text();
    return;
  }
  cell.waits = WaitsFor::kPrediction;
  cell.waits_for = "the prediction " + cell.prediction + ", made once all others have ended";
}

// A prediction is of one test set.
const std::string& HeldOutCells::predicted_test_set(const RunConfig& config) {
  const std::map<std::string, int64_t> tests = test_tokens(config);
  std::string names;
  for (const auto& [name, tokens] : tests) names.append(names.empty() ? "" : ", ").append(name);
  const std::optional<SourcedText>& asked = where_.test_set;
  if (asked && !tests.contains(asked->text)) {
    throw_config_error(*asked, "hold_out.test_set",
                       "is no test set of a held-out cell, which has " + names);
  }
  const auto& [first, tokens] = *tests.begin();
  const bool has_own = tests.contains(config.data.train);
  if (!asked && !has_own && tests.size() > 1) {
    throw KeyError(kTestPrefix + first, std::to_string(tokens),
                   "a held-out cell is tested on " + names +
                       ", none of them its training text; say whose loss is predicted, "
                       "hold_out.test_set");
  }
  const std::string test_set = asked ? asked->text : has_own ? config.data.train : first;
  if (!test_set_) test_set_ = test_set;
  if (*test_set_ != test_set) {
    throw KeyError("data.train", config.data.train,
                   "its text is the test of this held-out cell, and of another it is " +
                       *test_set_ + "; a prediction is of one test set: hold_out.test_set");
  }
  return *test_set_;
}

void HeldOutCells::look_up() {
  if (was_looked_up_) return;
  was_looked_up_ = true;
  try {
    prediction_ = find_prediction(options_.runs, where_.name.text);
  } catch (const std::runtime_error& fault) {
    unreadable_ = fault.what();
  }
}

bool HeldOutCells::may_start(const PlannedCell& cell) const {
  std::error_code none;
  if (cell.is_predicted ||
      std::filesystem::exists(RunFolder{options_.runs / cell.folder}.record(), none)) {
    return true;
  }
  return exclusion_reason(sweep_record_file(options_.runs, spec_.name), cell.content_hash)
      .has_value();
}

std::string HeldOutCells::taken_text() const {
  if (!prediction_) return "cannot be read: " + unreadable_;
  return "is registered since " + prediction_->registered_at + ", by sweep " + prediction_->sweep +
         (test_set_ == prediction_->test_set ? "" : ", of test set " + prediction_->test_set);
}

void HeldOutCells::check(Plan& plan) {
  if (held_out_ == 0) {
    throw_config_error(where_.where, "hold_out.where", "holds of none of the cells");
  }
  if (held_out_ == plan.asked_for) {
    throw_config_error(where_.where, "hold_out.where",
                       "holds of every cell; none is left to predict from");
  }
  int64_t refused = 0, provisional = 0;
  std::string first;
  for (const PlannedCell& cell : plan.cells) {
    if (cell.waits == WaitsFor::kAnotherName && ++refused == 1) first = cell.folder;
    if (!cell.prediction.empty() && cell.is_provisional()) ++provisional;
  }
  if (refused == 0 && provisional == 0) return;
  look_up();
  if (!is_taken()) return;
  const auto told = [&](const std::string& rule) {
    return at_its_line(where_.name, "hold_out.register", taken_text() + rule);
  };
  if (!unreadable_.empty()) {
    (refused > 0 ? plan.held_out_fault : plan.held_out_doubt) = told("");
    return;
  }
  if (refused > 0) {
    plan.held_out_fault =
        told(", and says nothing of " + first +
             (refused > 1 ? " and " + std::to_string(refused - 1) + " more" : "") +
             "; predictions stand: choose another name for what is held out");
  }
  if (provisional > 0) {
    plan.held_out_doubt =
        told("; " + std::to_string(provisional) + " held-out " +
             (provisional == 1 ? "cell waits" : "cells wait") +
             " for trials. Where these give other rates than before, they are other runs, of which "
             "it says nothing: predictions stand, and what is held out needs another name");
  }
}

}  // namespace scalelaw
