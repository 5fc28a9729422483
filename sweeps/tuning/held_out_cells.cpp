#include "sweeps/tuning/held_out_cells.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <utility>

#include "sweeps/plan/study_cells.h"
#include "sweeps/tuning/open_cells.h"
#include "sweeps/tuning/open_predictions.h"
#include "sweeps/tuning/recipe.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/config_keys.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

HeldOutCells::HeldOutCells(const SweepSpec& spec, const PlanOptions& options, DataSetHeaders& data,
                           ExpressionCache& expressions)
    : spec_(spec),
      where_(*spec.hold_out),
      options_(options),
      data_(data),
      expressions_(expressions),
      name_(where_.name.text) {
  if (where_.ending.empty()) return;
  StudyShare share = share_of_study(spec, data, expressions);
  if (share.is_study) return;
  name_ += where_.ending;
  shared_ = std::move(share.held_out_by_both);
}

void HeldOutCells::note(const SweepPoint& point, PlannedCell& cell, bool is_scanned) {
  const auto n_vocab = [&] { return data_.open(cell.config.data.train).n_vocab; };
  if (!scalelaw::holds(where_.where, "hold_out.where", point.config, n_vocab, expressions_)) return;
  if (!cell.n_params) {
    throw KeyError("model.arch", cell.shape.arch,
                   "gives no formula for N, which a prediction for hold_out needs");
  }
  if (is_scanned) {
    throw_config_error(where_.where, "hold_out.where",
                       "holds of a cell that tune.learning_rate.where scans too: its trials would "
                       "tell its loss before it is predicted");
  }
  cell.prediction = name_;
  cell.predicted_test_set = predicted_test_set(cell.config);
  ++held_out_;
  if (cell.waits != WaitsFor::kNothing) return;
  look_up();
  cell.is_predicted = holds(cell) && prediction_->test_set == cell.predicted_test_set;
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

// A prediction is of one test set, called as run.json calls it, by its own name.
const std::string& HeldOutCells::predicted_test_set(const RunConfig& config) {
  const std::map<std::string, int64_t> written = test_tokens(config);
  const std::set<std::string> tests = test_sets_of(config);
  std::string names;
  for (const std::string& name : tests) names.append(names.empty() ? "" : ", ").append(name);
  std::optional<std::string> asked;
  if (where_.test_set) {
    const std::string& text = where_.test_set->text;
    asked = written.contains(text) ? data_.open(text).name : text;
  }
  if (asked && !tests.contains(*asked)) {
    throw_config_error(*where_.test_set, "hold_out.test_set",
                       "is no test set of a held-out cell, which has " + names);
  }
  const std::string& train_set = data_.open(config.data.train).name;
  const bool has_own = tests.contains(train_set);
  if (!asked && !has_own && tests.size() > 1) {
    const auto& [first, tokens] = *written.begin();
    throw KeyError(kTestPrefix + first, std::to_string(tokens),
                   "a held-out cell is tested on " + names +
                       ", none of them its training text; say whose loss is predicted, "
                       "hold_out.test_set");
  }
  const std::string test_set = asked ? *asked : has_own ? train_set : *tests.begin();
  if (!test_set_) test_set_ = test_set;
  if (*test_set_ != test_set) {
    throw KeyError("data.train", config.data.train,
                   "its text is the test of this held-out cell, and of another it is " +
                       *test_set_ + "; a prediction is of one test set: hold_out.test_set");
  }
  return *test_set_;
}

std::set<std::string> HeldOutCells::test_sets_of(const RunConfig& config) {
  std::set<std::string> names;
  for (const auto& [name, tokens] : test_tokens(config)) names.insert(data_.open(name).name);
  return names;
}

void HeldOutCells::look_up() {
  if (was_looked_up_) return;
  was_looked_up_ = true;
  try {
    prediction_ = find_prediction(options_.runs, name_);
  } catch (const std::runtime_error& fault) {
    unreadable_ = fault.what();
  }
}

bool HeldOutCells::may_start(const PlannedCell& cell) const {
  std::error_code none;
  const RunFolder folder{options_.runs / cell.folder};
  if (cell.is_predicted || std::filesystem::exists(folder.record(), none)) return true;
  // On another test set: what has begun under the prediction goes on.
  if (holds(cell) && std::filesystem::exists(folder.config(), none)) return true;
  return exclusion_reason(sweep_record_file(options_.runs, spec_.name), cell.content_hash)
      .has_value();
}

bool HeldOutCells::holds(const PlannedCell& cell) const {
  return prediction_ && prediction_->find(cell.content_hash) != nullptr;
}

std::string HeldOutCells::taken_text() const {
  if (!prediction_) return "cannot be read: " + unreadable_;
  return "is registered since " + prediction_->registered_at + ", by sweep " + prediction_->sweep +
         (test_set_ == prediction_->test_set ? "" : ", of test set " + prediction_->test_set);
}

SourcedText HeldOutCells::name() const {
  SourcedText name = where_.name;
  name.text = name_;
  return name;
}

std::string HeldOutCells::refusal_text(const PlannedCell& first, int64_t refused) {
  const std::string cells = (first.is_provisional() ? folder_stem(first.folder) : first.folder) +
                            (refused > 1 ? " and " + std::to_string(refused - 1) + " more" : "") +
                            (first.is_provisional() ? ", whatever rate the trials tell" : "");
  if (!holds(first)) {
    return ", and says nothing of " + cells +
           "; predictions stand: choose another name for what is held out";
  }
  const std::string& other = prediction_->test_set;
  return "; it predicts " + cells + " on " + other + ", not on " + first.predicted_test_set + ": " +
         (test_sets_of(first.config).contains(other)
              ? "write hold_out.test_set = " + other + ", or choose"
              : "choose") +
         " another name for what is held out";
}

void HeldOutCells::check(Plan& plan) {
  if (held_out_ == 0) {
    throw_config_error(where_.where, "hold_out.where", "holds of none of the cells");
  }
  if (held_out_ == plan.asked_for) {
    throw_config_error(where_.where, "hold_out.where",
                       "holds of every cell; none is left to predict from");
  }
  const auto told = [&](const std::string& rule) {
    return at_its_line(name(), "hold_out.register", rule);
  };
  plan.predicts_for_study = !study_of(spec_.name).empty() && name_ == where_.name.text;
  look_up();
  if (const std::string folder = begun_before_its_study(); !folder.empty()) {
    plan.held_out_fault = told("these settings hold " + folder +
                               " out as the file does without them, and predict "
                               "it otherwise; run the sweep without --set until " +
                               where_.name.text + " is registered, else that would find it begun");
    return;
  }
  if (const std::string folder = left_out_here(plan); !is_taken() && !folder.empty()) {
    plan.held_out_fault = told(
        "these settings change no run, so what is predicted is the study's, "
        "which knows nothing of " +
        folder + " being left out of " + spec_.name +
        "; take it in again (sweep exclude --undo with these settings), or "
        "exclude it without --set");
    return;
  }
  if (!is_taken()) return;
  plan.has_prediction = prediction_.has_value();
  const OpenPredictions open(plan, prediction_, data_);
  int64_t refused = 0, provisional = 0;
  const PlannedCell* first = nullptr;
  for (const PlannedCell& cell : plan.cells) {
    const bool is_open = !cell.prediction.empty() && cell.is_provisional();
    if (cell.waits == WaitsFor::kAnotherName || (is_open && !open.may_hold(cell))) {
      if (++refused == 1) first = &cell;
    } else if (is_open) {
      ++provisional;
    }
  }
  if (!unreadable_.empty()) {
    (refused > 0 ? plan.held_out_fault : plan.held_out_doubt) = told(taken_text());
    return;
  }
  if (refused > 0) plan.held_out_fault = told(taken_text() + refusal_text(*first, refused));
  if (provisional > 0) {
    plan.held_out_doubt =
        told(taken_text() + "; " + std::to_string(provisional) + " held-out " +
             (provisional == 1 ? "cell waits" : "cells wait") +
             " for trials. Where these give other rates than before, they are other runs, of which "
             "it says nothing: predictions stand, and what is held out needs another name");
  }
}

std::string HeldOutCells::begun_before_its_study() const {
  std::error_code none;
  if (is_taken() || std::filesystem::exists(prediction_file(options_.runs, where_.name.text), none))
    return "";
  const std::filesystem::path record = sweep_record_file(options_.runs, spec_.name);
  std::set<std::string> begun;  // of a rate that trials told
  if (spec_.tune && !shared_.empty()) begun = begun_in_study();
  const auto waits = [&](const StudyShare::HeldOut& cell) {
    return !std::filesystem::exists(RunFolder{options_.runs / cell.folder}.config(), none) &&
           !exclusion_reason(record, cell.content_hash) && !begun.contains(cell.but_for_rate) &&
           !begun.contains(folder_stem(cell.folder));
  };
  const auto found = std::ranges::find_if(shared_, waits);
  return found == shared_.end() ? "" : found->folder;
}

std::string HeldOutCells::left_out_here(const Plan& plan) const {
  if (!plan.predicts_for_study) return "";
  const std::filesystem::path own = sweep_record_file(options_.runs, spec_.name);
  const std::filesystem::path study = record_of_study(own);
  const auto is_left_out_here = [&](const PlannedCell& cell) {
    return has_own_exclusion(own, cell.content_hash) &&
           !has_own_exclusion(study, cell.content_hash);
  };
  const auto found = std::ranges::find_if(plan.cells, is_left_out_here);
  return found == plan.cells.end() ? "" : found->folder;
}

std::set<std::string> HeldOutCells::begun_in_study() const {
  std::set<std::string> hashes;
  try {
    const std::filesystem::path record =
        record_of_study(sweep_record_file(options_.runs, spec_.name));
    for (const SweepCell& cell : read_sweep_record(record).cells) {
      if (cell.is_trial) continue;
      hashes.insert(but_for_rate(options_.runs / cell.folder, cell.content_hash, data_));
      if (exclusion_reason(record, cell.content_hash)) hashes.insert(folder_stem(cell.folder));
    }
  } catch (const std::runtime_error&) {  // none has begun as far as is known
  }
  return hashes;
}

}  // namespace scalelaw
