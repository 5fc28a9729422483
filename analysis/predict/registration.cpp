#include "analysis/predict/registration.h"

#include <algorithm>
#include <cmath>

#include "analysis/text_bytes.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

// Of the first attempt; "": none is known.
std::string first_start(const std::vector<Attempt>& attempts) {
  std::string first;
  for (const Attempt& attempt : attempts) {
    const std::string& at = attempt.provenance.started_at;
    if (is_utc_time(at) && (first.empty() || at < first)) first = at;
  }
  return first;
}

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
                      ": what is registered after the fact is no prediction. Take that run out of "
                      "`hold_out:` in the sweep's file, or begin it anew (`scalelaw sweep retry "
                      "--from-scratch`) where it is not complete");
  }
}

// Complete runs need no prediction where others do: a sweep that holds out more than it did gives
// the rest another name.
void pass_over_complete(const fs::path& store, Prediction& prediction,
                        std::vector<std::string>& told) {
  const auto is_complete = [&](const PredictedCell& cell) {
    return fs::exists(RunFolder{store / cell.folder}.record());
  };
  if (std::ranges::all_of(prediction.cells, is_complete)) return;
  for (const PredictedCell& cell : prediction.cells) {
    if (!is_complete(cell)) continue;
    told.push_back("prediction " + prediction.name + ": " + cell.folder +
                   " is complete already and left out of it");
  }
  std::erase_if(prediction.cells, is_complete);
}

LossMetric metric_of(const fs::path& store, const Prediction& prediction) {
  for (const LossMetric metric : {LossMetric::kNatsPerToken, LossMetric::kBitsPerByte}) {
    if (prediction.metric == name(metric)) return metric;
  }
  throw ConfigError(prediction_file(store, prediction.name).string() + ": metric " +
                    prediction.metric + " is not one that this program knows");
}

struct Scorer {
  const fs::path& store;
  const std::map<std::string, int64_t>& text_bytes;

  ScoredCell score(const Prediction& prediction, const PredictedCell& predicted) const {
    ScoredCell cell{predicted, {}, false, false, "", ""};
    const RunFolder folder{store / predicted.folder};
    const std::optional<RunRecord> record = try_read_run_record(folder);
    cell.began_at = first_start(record ? record->attempts : read_attempts(folder));
    if (!record) {
      cell.why = cell.began_at.empty() ? "not started" : "not complete";
    } else if (record->content_hash != predicted.content_hash) {
      cell.why = "its folder holds another run";
    } else if (record->state == RunState::kDiverged) {
      cell.why = "diverged";
    } else if (record->test.count(prediction.test_set) == 0) {
      cell.why = "has no result on test set " + prediction.test_set;
    } else {
      set_loss(prediction, folder, *record, cell);
    }
    return cell;
  }

 private:
  void set_loss(const Prediction& prediction, const RunFolder& folder, const RunRecord& record,
                ScoredCell& cell) const {
    RunTable table;
    table.rows.push_back({folder, cell.predicted.folder, cell.predicted.arm, record, {}});
    Selection selection;
    selection.test_set = prediction.test_set;
    selection.metric = metric_of(store, prediction);
    selection.text_bytes = text_bytes;
    if (!text_bytes.empty()) take_text_bytes(table, selection);
    const double loss = table.rows.front().loss(selection.test_set, selection.metric);
    if (!std::isfinite(loss)) {
      cell.why = why_no_bits_per_byte(table.rows.front().record.test.at(selection.test_set),
                                      selection.test_set);
      return;
    }
    cell.loss = loss;
    cell.inside = cell.predicted.low <= loss && loss <= cell.predicted.high;
    cell.counts = !cell.began_at.empty() && prediction.registered_at <= cell.began_at;
    if (cell.counts) return;
    cell.why = cell.began_at.empty() ? "when it began is not known"
                                     : "it began at " + cell.began_at +
                                           ", before it was predicted: this is no prediction";
  }
};

// One a name, in the record's order.
std::vector<std::string> names_of(const std::vector<SweepCell>& held) {
  std::vector<std::string> names;
  for (const SweepCell& cell : held) {
    if (std::find(names.begin(), names.end(), cell.hold_out->prediction) == names.end()) {
      names.push_back(cell.hold_out->prediction);
    }
  }
  return names;
}

}  // namespace

std::vector<std::string> register_predictions(HeldOutPredictions& found) {
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
  for (Prediction* prediction : due) {
    prediction->registered_at = utc_now();
    if (publish_prediction(found.store, *prediction)) continue;
    throw ConfigError("prediction " + prediction->name +
                      " was registered by another process meanwhile, and stands");
  }
  return standing;
}

Scores score_predictions(const fs::path& record_file,
                         const std::map<std::string, int64_t>& text_bytes) {
  const std::vector<SweepCell> held = read_held_out_cells(record_file).cells;
  const fs::path store = store_of_record(record_file);
  const Scorer scorer{store, text_bytes};
  Scores out;
  for (const std::string& name : names_of(held)) {
    std::optional<Prediction> registered = find_prediction(store, name);
    if (!registered) {
      out.warnings.push_back("prediction " + name + " is not registered");
      continue;
    }
    Score score{std::move(*registered), {}, 0, 0};
    for (const PredictedCell& cell : score.prediction.cells) {
      score.cells.push_back(scorer.score(score.prediction, cell));
      score.counted += score.cells.back().counts;
      score.inside += score.cells.back().counts && score.cells.back().inside;
    }
    for (const SweepCell& cell : held) {
      if (cell.hold_out->prediction != name ||
          score.prediction.find(cell.content_hash) != nullptr) {
        continue;
      }
      out.warnings.push_back("prediction " + name + ", registered at " +
                             score.prediction.registered_at + ", predicts nothing of " +
                             cell.folder);
    }
    out.scores.push_back(std::move(score));
  }
  if (out.scores.empty()) {
    throw ConfigError(record_file.string() +
                      ": none of its predictions is registered, so there is nothing to score; "
                      "`--register` writes them down before the runs start");
  }
  return out;
}

}  // namespace scalelaw
