#include "analysis/predict/predict_verb.h"

#include <filesystem>
#include <iostream>

#include "analysis/predict/prediction_text.h"
#include "analysis/predict/registration.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {

PredictVerb::PredictVerb(CLI::App& app)
    : verb_(app.add_subcommand("predict", "predict the losses of a sweep's held-out runs")) {
  verb_
      ->add_option("record", record_,
                   "the sweep's record: runs/sweeps/NAME.json; with --score also a prediction, "
                   "runs/predictions/NAME.json, or the folder of runs: all of its predictions")
      ->required()
      ->type_name("RECORD");
  add_selection(*verb_, arguments_);
  CLI::Option* registering = verb_->add_flag("--register", register_,
                                             "write them down, once: runs/predictions/NAME.json, "
                                             "NAME from `hold_out` in the sweep's file");
  verb_
      ->add_flag("--incomplete", incomplete_,
                 "with --register: though cells of the sweep have not ended")
      ->needs(registering);
  CLI::Option* scoring = verb_->add_flag(
      "--score", score_, "compare what was registered with what became of the runs");
  scoring->excludes(registering);
  // Those are as they were registered.
  for (const char* option : {"--n-count", "--test-set", "--metric"}) {
    scoring->excludes(verb_->get_option(option));
  }
  verb_->add_flag("--json", arguments_.json, "for scripts");
  verb_->footer(
      "Example: scalelaw predict runs/sweeps/ladder.json --register\n"
      "Held-out runs are never read for it, complete or not. Of each one's arm the complete runs "
      "of its\nown D give the law, else those of its own D / N, else all of them L(N, D). "
      "--register refuses a\nrun that has begun, and a sweep whose other cells have not ended; "
      "what "
      "is registered is never\nwritten again.\n"
      "Ends with 0 when predictions or scores stand, 2 when none can.");
}

Outcome PredictVerb::run() const {
  score_ ? score() : predict();
  return {kExitComplete, register_ ? Product::kFiles : Product::kText};
}

void PredictVerb::predict() const {
  HeldOutPredictions found = predict_held_out(record_, options_from(arguments_).selection);
  std::vector<std::string> standing;
  if (register_) standing = register_predictions(found, incomplete_);
  // Of what is left: complete runs may have been passed over.
  for (const std::string& other : others_of_the_same(found)) found.warnings.push_back(other);
  found.warnings.insert(found.warnings.end(), standing.begin(), standing.end());
  if (!register_) {
    for (const Prediction& prediction : found.predictions) {
      const auto there = find_prediction(found.store, prediction.name);
      if (!there) continue;
      found.warnings.push_back("prediction " + prediction.name + " was registered at " +
                               there->registered_at +
                               " and stands; what is shown here is newer and counts for nothing");
    }
  }
  if (arguments_.json) {
    std::cout << to_json(found);
    return;
  }
  std::cout << to_markdown(document_of(found), "");
  if (register_) {
    for (const Prediction& prediction : found.predictions) {
      std::cout << escaped(prediction_file(found.store, prediction.name).string()) << '\n';
    }
  }
  warn(found.warnings);
}

void PredictVerb::score() const {
  const Scores scores = score_predictions(record_, options_from(arguments_).selection.text_bytes);
  if (arguments_.json) {
    std::cout << to_json(scores);
    return;
  }
  const bool of_store = std::filesystem::is_directory(record_);
  std::cout << to_markdown(of_store ? document_of_store(scores) : document_of(scores), "");
  warn(scores.warnings);
}

}  // namespace scalelaw
