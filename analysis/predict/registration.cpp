#include "analysis/predict/registration.h"

#include <algorithm>

#include "analysis/predict/first_start.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// What is known already of the loss of a run, in words; "": nothing.
std::string already_known(const fs::path& store, const PredictedCell& cell) {
  const RunFolder folder{store / cell.folder};
  if (fs::exists(folder.record())) return "is complete";
  std::vector<fs::path> damaged;
  const std::vector<Attempt> attempts = read_attempts(folder, &damaged);
  if (attempts.empty() && damaged.empty()) return "";
  const std::string at = first_start(attempts);
  return "has begun" + (at.empty() ? "" : " at " + at);
}

std::string stands(const Prediction& registered, const Prediction& asked) {
  std::string sentence = "prediction " + registered.name + " was registered at " +
                         registered.registered_at + " and stands";
  std::string lacks;
  for (const PredictedCell& cell : asked.cells) {
    if (registered.find(cell.content_hash) != nullptr) continue;
    lacks += (lacks.empty() ? "" : ", ") + cell.folder;
  }
  if (lacks.empty()) return sentence;
  return sentence + "; it predicts nothing of " + lacks +
         ": give those another name in the sweep's file (`register:`)";
}

void refuse_what_is_known(const fs::path& store, const Prediction& prediction) {
  for (const PredictedCell& cell : prediction.cells) {
    const std::string known = already_known(store, cell);
    if (known.empty()) continue;
    throw ConfigError("prediction " + prediction.name + ": " + cell.folder + " " + known +
                      ", so its loss may have been seen, and what is registered after the fact is "
                      "no prediction; begun anew it is none either. Leave that run out (`scalelaw "
                      "sweep exclude SPEC " +
                      cell.folder +
                      " --reason …`), or take it out of "
                      "`hold_out:` in the sweep's file");
  }
}

// The names of those that predict the cell and were registered before it began; "": none.
std::string predicted_as(const fs::path& store, const PredictedCell& cell,
                         const std::vector<Prediction>& predictions) {
  const std::string began_at = first_start(read_attempts(RunFolder{store / cell.folder}));
  std::string names;
  for (const Prediction& other : predictions) {
    if (other.find(cell.content_hash) == nullptr || began_at < other.registered_at) continue;
    names += (names.empty() ? "" : ", ") + other.name;
  }
  return names;
}

// Complete runs need no prediction where others do: a sweep that holds out more than it did gives
// the rest another name.
void pass_over_complete(const fs::path& store, Prediction& prediction,
                        std::vector<std::string>& told) {
  const auto is_complete = [&](const PredictedCell& cell) {
    return fs::exists(RunFolder{store / cell.folder}.record());
  };
  if (std::ranges::none_of(prediction.cells, is_complete)) return;
  if (std::ranges::all_of(prediction.cells, is_complete)) return;
  std::vector<std::string> faults;  // others_of_the_same() tells them
  const std::vector<Prediction> predictions = predictions_of_store(store, faults);
  for (const PredictedCell& cell : prediction.cells) {
    if (!is_complete(cell)) continue;
    const std::string others = predicted_as(store, cell, predictions);
    told.push_back("prediction " + prediction.name + ": " + cell.folder +
                   " is complete already and left out of it" +
                   (others.empty() ? "" : "; it was predicted as " + others + " before it began"));
    prediction.left_out.push_back(
        {cell.folder, others.empty()
                          ? "held out, and complete before it was predicted"
                          : "held out, and predicted as " + others + " before it began"});
  }
  std::erase_if(prediction.cells, is_complete);
}

}  // namespace

std::vector<std::string> others_of_the_same(const HeldOutPredictions& found) {
  std::vector<std::string> sentences;
  for (const Prediction& other : predictions_of_store(found.store, sentences)) {
    std::string cells;
    for (const Prediction& prediction : found.predictions) {
      if (prediction.name == other.name) continue;
      for (const PredictedCell& cell : prediction.cells) {
        if (other.find(cell.content_hash) == nullptr) continue;
        cells += (cells.empty() ? "" : ", ") + cell.folder;
      }
    }
    if (cells.empty()) continue;
    sentences.push_back("prediction " + other.name + ", registered at " + other.registered_at +
                        " by sweep " + other.sweep + ", predicts " + cells +
                        " too; `--score` shows both");
  }
  return sentences;
}

std::vector<std::string> register_predictions(HeldOutPredictions& found, bool incomplete) {
  if (!found.own_test_set.empty()) {
    throw ConfigError("the sweep's file predicts the loss on " + found.own_test_set +
                      ", and --test-set asks for " + found.predictions.front().test_set +
                      ": register without --test-set, or write hold_out.test_set = " +
                      found.predictions.front().test_set + " in the sweep's file");
  }
  std::vector<std::string> standing;
  std::vector<Prediction*> due;
  for (Prediction& prediction : found.predictions) {
    if (std::optional<Prediction> there = find_prediction(found.store, prediction.name)) {
      standing.push_back(stands(*there, prediction));
      prediction = std::move(*there);
    } else {
      pass_over_complete(found.store, prediction, standing);
      refuse_what_is_known(found.store, prediction);
      due.push_back(&prediction);
    }
  }
  if (due.empty()) {
    std::string all;
    for (const std::string& sentence : standing) all += (all.empty() ? "" : "; ") + sentence;
    throw ConfigError(all + ". Nothing was written; `--score` compares it with what is complete");
  }
  if (!incomplete && !found.unended.empty()) {
    throw ConfigError(
        "of sweep " + found.predictions.front().sweep + ", " + found.unended +
        ". What is registered is never written again and would lack them: end them first "
        "(`scalelaw sweep run`), leave them out (`scalelaw sweep exclude`), or do without them "
        "(--incomplete)");
  }
  for (Prediction* prediction : due) {
    prediction->registered_at = utc_now();
    if (publish_prediction(found.store, *prediction)) continue;
    throw ConfigError("prediction " + prediction->name +
                      " was registered by another process meanwhile, and stands");
  }
  return standing;
}

}  // namespace scalelaw
