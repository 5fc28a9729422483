#include "analysis/predict/held_out.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "analysis/number_text.h"
#include "analysis/predict/run_prediction.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kFarBeyond = 10;  // a decade

// Runs of an arm that a law of N alone may be fitted to, or all of them.
struct Choice {
  RunTable runs;
  std::string over;  // which they are, in words
};

template <typename Fits>
Choice choose(const RunTable& arm, const std::string& over, const Fits& fits) {
  Choice choice{{}, over};
  choice.runs.source = arm.source;
  for (const RunRow& row : arm.rows) {
    if (fits(row)) choice.runs.rows.push_back(row);
  }
  return choice;
}

int sizes_of(const RunTable& runs, NCount n_count) {
  std::set<double> sizes;
  for (const RunRow& row : runs.rows) sizes.insert(row.n(n_count));
  sizes.erase(0);
  return static_cast<int>(sizes.size());
}

// One batch off at the run itself, one at the row.
Choice of_its_ratio(const RunTable& arm, const HeldOut& run, NCount n_count) {
  Choice best;
  for (const NCount by :
       {n_count, NCount::kNonEmbedding, NCount::kNonEmbeddingPlusHead, NCount::kTotal}) {
    if (!(run.n(by) > 0)) continue;
    const double ratio = static_cast<double>(run.train_tokens) / run.n(by);
    Choice choice = choose(arm, "D / N = " + human(ratio) + " (N: " + std::string(name(by)) + ")",
                           [&](const RunRow& row) {
                             return std::abs(row.d_tokens() - ratio * row.n(by)) <
                                    2 * static_cast<double>(row.record.batch_tokens);
                           });
    if (sizes_of(choice.runs, n_count) > sizes_of(best.runs, n_count)) best = std::move(choice);
  }
  return best;
}

class Predictor {
 public:
  Predictor(RunTable table, const Selection& selection, double level)
      : table_(std::move(table)), selection_(selection), level_(level) {
    for (const std::string& warning : table_.warnings) warn(warning);
  }

  // Notes the runs that it used.
  PredictedCell predict(const SweepCell& cell, std::vector<UsedRun>& used) {
    const HeldOut& held = *cell.hold_out;
    PredictedCell out;
    out.content_hash = cell.content_hash;
    out.folder = cell.folder;
    out.arm = cell.arm().empty() ? held.arch : cell.arm();
    out.n = held.n(selection_.n_count);
    out.d = static_cast<double>(held.train_tokens);
    if (!(out.n > 0)) {
      throw ConfigError(cell.folder + ": it has no parameters by the count " +
                        std::string(name(selection_.n_count)) +
                        " and no place on that axis; choose another with --n-count");
    }
    const RunTable arm =
        choose(table_, "", [&](const RunRow& row) { return row.arm == out.arm; }).runs;
    std::string missing;
    const auto found = [&](Choice choice, bool surface) {
      return attempt(std::move(choice), surface, out, used, missing);
    };
    const Choice own_d = choose(arm, "D = " + human(out.d) + " tokens", [&](const RunRow& row) {
      return std::abs(row.d_tokens() - out.d) < static_cast<double>(row.record.batch_tokens);
    });
    if (found(own_d, false) || found(of_its_ratio(arm, held, selection_.n_count), false) ||
        found(choose(arm, "all D", [](const RunRow&) { return true; }), true)) {
      return out;
    }
    throw ConfigError("no law predicts " + cell.folder + " (arm " + out.arm +
                      ", N = " + human(out.n) + ", D = " + human(out.d) + " tokens): " + missing +
                      ". Complete runs of this arm first that are not held out (`scalelaw sweep "
                      "status SPEC` says what is missing), add some to the sweep's file, or hold "
                      "out less");
  }

  const Selection& selection() const { return selection_; }
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  bool attempt(Choice choice, bool surface, PredictedCell& out, std::vector<UsedRun>& used,
               std::string& missing) {
    RunPrediction found;
    const int sizes = sizes_of(choice.runs, selection_.n_count);
    if (!surface && sizes < kFewestSizesForPowerLaw) {
      found.missing = std::to_string(sizes) + (sizes == 1 ? " size is" : " sizes are") +
                      " complete, and a power law needs " + std::to_string(kFewestSizesForPowerLaw);
    } else if (choice.runs.rows.empty()) {
      found.missing = "no run is complete";
    } else {
      select(choice.runs);
      const SeedNoise seed = pooled_seed_noise(table_, selection_);
      const NewRun run{out.n, out.d};
      found = surface ? predict_on_surface(choice.runs, selection_, seed, run, level_)
                      : predict_on_ladder(choice.runs, selection_, seed, run, level_, choice.over);
    }
    if (!found.missing.empty()) {
      const std::string where = choice.over.empty() ? "at its own D / N" : "at " + choice.over;
      missing += (missing.empty() ? "" : "; ") + where + ", " + found.missing;
      return false;
    }
    out.loss = found.loss;
    out.low = found.low;
    out.high = found.high;
    out.laws = found.laws;
    out.why = found.why;
    note(choice.runs, out, used);
    return true;
  }

  void select(RunTable& runs) {
    try {
      select_runs(runs, selection_, Horizons::kAll);
    } catch (const ConfigError& error) {
      throw ConfigError(std::string(error.what()) +
                        " (`scalelaw sweep exclude` leaves runs out of a sweep)");
    }
  }

  void note(const RunTable& runs, PredictedCell& out, std::vector<UsedRun>& used) {
    double n = 0, d = 0;
    for (const RunRow& row : runs.rows) {
      const UsedRun run{row.record.content_hash, row.folder_name};
      out.runs.push_back(run.content_hash);
      if (std::find(used.begin(), used.end(), run) == used.end()) used.push_back(run);
      n = std::max(n, row.n(selection_.n_count));
      d = std::max(d, row.d_tokens());
    }
    for (const std::string& warning : runs.warnings) warn(warning);
    const double beyond = std::max(out.n / n, out.d / d);
    if (beyond <= kFarBeyond) return;
    warn(out.folder + " lies " + human(beyond) + " times beyond the largest " +
         (out.n / n >= out.d / d ? "N" : "D") +
         " of the runs that its law was fitted to: that the law's form holds as far is taken for "
         "granted");
  }

  void warn(const std::string& warning) {
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) {
      warnings_.push_back(warning);
    }
  }

  RunTable table_;
  Selection selection_;  // the first choice fills in its test set
  double level_;
  std::vector<std::string> warnings_;
};

}  // namespace

std::filesystem::path store_of_record(const std::filesystem::path& record_file) {
  return std::filesystem::absolute(record_file).parent_path().parent_path();
}

HeldOutSweep read_held_out_cells(const std::filesystem::path& record_file) {
  if (!std::filesystem::is_regular_file(record_file)) {
    throw ConfigError(record_file.string() +
                      ": no such file; give a sweep's record (RUNS/sweeps/NAME.json)");
  }
  SweepRecord sweep;
  try {
    sweep = read_sweep_record(record_file);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  std::erase_if(sweep.cells, [](const SweepCell& cell) { return !cell.hold_out; });
  if (sweep.cells.empty()) {
    throw ConfigError("sweep " + sweep.name +
                      " holds nothing out: there is no run to predict. In the sweep's file, "
                      "`hold_out: {where: …, register: NAME}` says which runs wait for a "
                      "prediction, and `scalelaw sweep run` brings the record up to date");
  }
  return {sweep.name, std::move(sweep.cells)};
}

HeldOutPredictions predict_held_out(const std::filesystem::path& record_file,
                                    const Selection& selection, double level) {
  const HeldOutSweep held = read_held_out_cells(record_file);
  Selection chosen = selection;
  if (chosen.test_set.empty()) chosen.test_set = held.cells.front().hold_out->test_set;
  Predictor predictor(read_runs({record_file}, HeldOutCells::kPassedOver), chosen, level);
  HeldOutPredictions out{store_of_record(record_file), {}, {}};
  for (const SweepCell& cell : held.cells) {
    const std::string& name_of = cell.hold_out->prediction;
    auto found = std::find_if(out.predictions.begin(), out.predictions.end(),
                              [&](const Prediction& p) { return p.name == name_of; });
    if (found == out.predictions.end()) {
      found = out.predictions.insert(found, Prediction{});
      found->name = name_of;
      found->sweep = held.sweep;
      found->n_count = name(selection.n_count);
      found->metric = name(selection.metric);
      found->level = level;
    }
    found->cells.push_back(predictor.predict(cell, found->runs));
    found->test_set = predictor.selection().test_set;
  }
  out.warnings = predictor.take_warnings();
  return out;
}

}  // namespace scalelaw
