#include "sweeps/held_out_cells.h"

#include <filesystem>
#include <map>

#include "trainer/config_error.h"
#include "trainer/config_keys.h"
#include "trainer/run_record.h"

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
  cell.prediction = where_.name;
  cell.predicted_test_set = predicted_test_set(cell.config);
  ++held_out_;
  if (cell.waits == WaitsFor::kNothing && !is_predicted(cell)) {
    cell.waits = WaitsFor::kPrediction;
    cell.waits_for = "the prediction " + cell.prediction + ", made once all others have ended";
  }
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

bool HeldOutCells::is_predicted(const PlannedCell& cell) {
  if (!prediction_) prediction_ = find_prediction(options_.runs, cell.prediction);
  if (*prediction_ && (*prediction_)->find(cell.content_hash) != nullptr) return true;
  std::error_code none;  // a run that is complete waits for nothing
  return std::filesystem::exists(RunFolder{options_.runs / cell.folder}.record(), none);
}

void HeldOutCells::check(const Plan& plan) const {
  if (held_out_ == 0) {
    throw_config_error(where_.where, "hold_out.where", "holds of none of the cells");
  }
  if (prediction_ && *prediction_) {
    for (const PlannedCell& cell : plan.cells) {
      if (cell.waits != WaitsFor::kPrediction) continue;
      throw ConfigError(spec_.file + ": hold_out.register = " + where_.name +
                        ": is registered since " + (*prediction_)->registered_at + ", by sweep " +
                        (*prediction_)->sweep + ", and says nothing of " + cell.folder +
                        "; predictions stand: choose another name");
    }
  }
  if (held_out_ == plan.asked_for) {
    throw_config_error(where_.where, "hold_out.where",
                       "holds of every cell; none is left to predict from");
  }
}

}  // namespace scalelaw
