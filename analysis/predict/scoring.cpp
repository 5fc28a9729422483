#include "analysis/predict/scoring.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>
#include <utility>

#include "analysis/predict/first_start.h"
#include "analysis/predict/held_out_sweep.h"
#include "analysis/text_bytes.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

LossMetric metric_of(const fs::path& store, const Prediction& prediction) {
  for (const LossMetric metric : {LossMetric::kNatsPerToken, LossMetric::kBitsPerByte}) {
    if (prediction.metric == name(metric)) return metric;
  }
  throw ConfigError(prediction_file(store, prediction.name).string() + ": metric " +
                    prediction.metric + " is not one that this program knows");
}

class Scorer {
 public:
  // `record`: whose exclusions are told.
  Scorer(const fs::path& store, fs::path record, const std::map<std::string, int64_t>& text_bytes)
      : store_(store), record_(std::move(record)), text_bytes_(text_bytes) {}

  Score score(Prediction prediction) const {
    Score score{std::move(prediction), {}};
    for (const PredictedCell& predicted : score.prediction.cells) {
      ScoredCell cell{predicted, CellScore::kNotStarted, {}, false, "", "", ""};
      set_score(score.prediction, cell);
      note(cell);
      score.cells.push_back(std::move(cell));
    }
    return score;
  }

 private:
  void set_score(const Prediction& prediction, ScoredCell& cell) const {
    const RunFolder folder{store_ / cell.predicted.folder};
    const std::optional<RunRecord> record = try_read_run_record(folder);
    cell.began_at = first_start(record ? record->attempts : read_attempts(folder));
    const auto no_loss = [&](CellScore score, const std::string& why) {
      cell.score = score;
      cell.why = why;
    };
    if (!record) {
      const auto score = cell.began_at.empty() ? CellScore::kNotStarted : CellScore::kNotComplete;
      return no_loss(score, std::string(in_words(score)));
    }
    if (record->content_hash != cell.predicted.content_hash) {
      return no_loss(CellScore::kNoLoss, "its folder holds another run");
    }
    if (record->state == RunState::kDiverged) {
      no_loss(CellScore::kDiverged, "diverged");
    } else if (record->test.count(prediction.test_set) == 0) {
      return no_loss(CellScore::kNoLoss, "has no result on test set " + prediction.test_set);
    } else if (!set_loss(prediction, folder, *record, cell)) {
      return;
    }
    set_whether_it_counts(prediction, cell);
  }

  // Whether there is one.
  bool set_loss(const Prediction& prediction, const RunFolder& folder, const RunRecord& record,
                ScoredCell& cell) const {
    RunTable table;
    table.rows.push_back({folder, cell.predicted.folder, cell.predicted.arm, record, {}});
    Selection selection;
    selection.test_set = prediction.test_set;
    selection.metric = metric_of(store_, prediction);
    selection.text_bytes = text_bytes_;
    if (!text_bytes_.empty()) take_text_bytes(table, selection);
    const double loss = table.rows.front().loss(selection.test_set, selection.metric);
    if (!std::isfinite(loss)) {
      cell.score = CellScore::kNoLoss;
      cell.why = why_no_bits_per_byte(table.rows.front().record.test.at(selection.test_set),
                                      selection.test_set);
      return false;
    }
    cell.loss = loss;
    cell.inside = cell.predicted.low <= loss && loss <= cell.predicted.high;
    cell.score = cell.inside ? CellScore::kInside : CellScore::kOutside;
    return true;
  }

  static void set_whether_it_counts(const Prediction& prediction, ScoredCell& cell) {
    const std::string comma = cell.why.empty() ? "" : ", ";
    if (cell.began_at.empty()) {
      cell.score = CellScore::kBeginUnknown;
      cell.why += comma + "when it began is not known";
    } else if (cell.began_at < prediction.registered_at) {
      cell.score = CellScore::kBegunBefore;
      cell.why += comma + "it began at " + cell.began_at +
                  ", before it was predicted: this is no prediction";
    }
  }

  void note(ScoredCell& cell) const {
    const auto add = [&](const std::string& what) {
      cell.why += (cell.why.empty() ? "" : "; ") + what;
    };
    if (const auto reason = exclusion_reason(record_, cell.predicted.content_hash)) {
      cell.excluded = *reason;
      add("excluded: " + *reason);
    }
    if (cell.predicted.seen > 0) {
      add("no extrapolation, " + std::to_string(cell.predicted.seen) +
          " of the runs used have its N and D");
    }
    if (!cell.predicted.other_recipe.empty()) {
      add("another recipe: it " + cell.predicted.other_recipe);
    }
  }

  const fs::path& store_;
  const fs::path record_;
  const std::map<std::string, int64_t>& text_bytes_;
};

bool predicts_one_of(const Prediction& prediction, const HeldOutSweep& held) {
  return std::ranges::any_of(held.cells, [&](const SweepCell& cell) {
    return prediction.find(cell.content_hash) != nullptr;
  });
}

// Those that the record names first, in its order. What is wrong with files that cannot be read is
// appended to `faults`.
std::vector<Prediction> predictions_of(const HeldOutSweep& held, const fs::path& store,
                                       std::vector<std::string>& warnings,
                                       std::vector<std::string>& faults) {
  std::vector<Prediction> predictions;
  const std::vector<std::string> names = held.names();
  for (const std::string& name : names) {
    if (std::optional<Prediction> registered = find_prediction(store, name)) {
      predictions.push_back(std::move(*registered));
    } else {
      warnings.push_back("prediction " + name + " is not registered");
    }
  }
  for (Prediction& other : predictions_of_store(store, faults)) {
    if (std::ranges::find(names, other.name) != names.end()) continue;
    if (other.sweep == held.sweep || predicts_one_of(other, held)) {
      predictions.push_back(std::move(other));
    }
  }
  return predictions;
}

// Of cells that are held out now what their prediction does not say of them.
void warn_of_unpredicted(const HeldOutSweep& held, Scores& out) {
  for (const Score& score : out.scores) {
    const Prediction& prediction = score.prediction;
    const std::string registered =
        "prediction " + prediction.name + ", registered at " + prediction.registered_at;
    bool is_of_another_test_set = false;
    for (const SweepCell& cell : held.cells) {
      if (cell.hold_out->prediction != prediction.name) continue;
      const std::string& asked = cell.hold_out->test_set;
      if (prediction.find(cell.content_hash) == nullptr) {
        out.warnings.push_back(registered + ", predicts nothing of " + cell.folder);
      } else if (!asked.empty() && asked != prediction.test_set && !is_of_another_test_set) {
        is_of_another_test_set = true;
        out.warnings.push_back(registered + ", is of the loss on " + prediction.test_set +
                               ", and the sweep's file asks for that on " + asked +
                               ": that was not predicted under this name");
      }
    }
  }
}

Scores score_file(const fs::path& file, const std::map<std::string, int64_t>& text_bytes) {
  const fs::path store = store_of_record(file);
  std::optional<Prediction> prediction = find_prediction(store, file.stem().string());
  if (!prediction || file.extension() != ".json") {
    throw ConfigError(file.string() +
                      ": no such file; give a prediction (RUNS/predictions/NAME.json)");
  }
  const fs::path record = sweep_record_file(store, prediction->sweep);
  Scores out;
  out.scores.push_back(Scorer(store, record, text_bytes).score(std::move(*prediction)));
  return out;
}

Scores score_store(const fs::path& store, const std::map<std::string, int64_t>& text_bytes) {
  Scores out;
  for (Prediction& prediction : predictions_of_store(store, out.warnings)) {
    const fs::path record = sweep_record_file(store, prediction.sweep);
    out.scores.push_back(Scorer(store, record, text_bytes).score(std::move(prediction)));
  }
  if (out.scores.empty()) {
    std::string unreadable;
    for (const std::string& fault : out.warnings) unreadable += "; " + fault;
    throw ConfigError(store.string() + ": no prediction is registered there (" +
                      kPredictionsFolder + "/NAME.json)" + unreadable);
  }
  return out;
}

}  // namespace

PredictionCoverage coverage_of(const std::vector<Score>& scores) {
  PredictionCoverage out;
  for (const Score& score : scores) {
    out.levels_differ |= score.prediction.level != scores.front().prediction.level;
    std::set<std::tuple<std::string, double, double, double>> met;
    for (const ScoredCell& cell : score.cells) {
      if (!counts(cell.score)) continue;
      const bool inside = cell.score == CellScore::kInside;
      ++out.runs;
      out.runs_inside += inside;
      const PredictedCell& p = cell.predicted;
      if (cell.loss) out.worst = std::max(out.worst, std::abs(std::log(*cell.loss / p.loss)));
      if (!met.emplace(p.arm, p.n, p.d, p.loss).second) continue;
      ++out.predictions;
      out.inside += inside;
      out.extrapolated += p.beyond > 1;
    }
  }
  return out;
}

std::string_view in_words(CellScore score) {
  switch (score) {
    case CellScore::kInside:
      return "inside";
    case CellScore::kOutside:
      return "outside";
    case CellScore::kDiverged:
      return "diverged";
    case CellScore::kBegunBefore:
      return "began before it was predicted";
    case CellScore::kBeginUnknown:
      return "began when is not known";
    case CellScore::kNoLoss:
      return "no such loss";
    case CellScore::kNotComplete:
      return "not complete";
    case CellScore::kNotStarted:
      break;
  }
  return "not started";
}

int Score::count(CellScore score) const {
  return static_cast<int>(std::ranges::count(cells, score, &ScoredCell::score));
}

int Score::counted() const {
  return count(CellScore::kInside) + count(CellScore::kOutside) + count(CellScore::kDiverged);
}

int Score::sizes() const {
  std::set<std::tuple<std::string, double, double, double>> predictions;
  for (const ScoredCell& cell : cells) {
    const PredictedCell& p = cell.predicted;
    if (counts(cell.score)) predictions.emplace(p.arm, p.n, p.d, p.loss);
  }
  return static_cast<int>(predictions.size());
}

Scores score_predictions(const fs::path& file, const std::map<std::string, int64_t>& text_bytes) {
  if (fs::is_directory(file)) return score_store(file, text_bytes);
  if (fs::absolute(file).parent_path().filename() == kPredictionsFolder) {
    return score_file(file, text_bytes);
  }
  const HeldOutSweep held = read_held_out_cells(file);
  const fs::path store = store_of_record(file);
  const Scorer scorer(store, file, text_bytes);
  Scores out;
  std::vector<std::string> faults;
  for (Prediction& prediction : predictions_of(held, store, out.warnings, faults)) {
    out.scores.push_back(scorer.score(std::move(prediction)));
  }
  if (out.scores.empty()) {
    std::string unreadable;
    for (const std::string& fault : faults) unreadable += "; " + fault;
    throw ConfigError(file.string() +
                      (held.names().empty()
                           ? ": holds nothing out, and the sweep has registered no "
                             "prediction"
                           : ": none of its predictions is registered") +
                      ", so there is nothing to score; `--register` writes them down before the "
                      "runs start, and a prediction's own file (RUNS/predictions/NAME.json) may be "
                      "given in place of the record" +
                      unreadable);
  }
  out.warnings.insert(out.warnings.end(), faults.begin(), faults.end());
  warn_of_unpredicted(held, out);
  return out;
}

}  // namespace scalelaw
