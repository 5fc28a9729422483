#include "analysis/predict/held_out.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <set>

#include "analysis/number_text.h"
#include "analysis/predict/held_out_sweep.h"
#include "analysis/predict/other_recipe.h"
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
  // `held` outlives it.
  Predictor(RunTable table, const HeldOutSweep& held, const Selection& selection, double level)
      : table_(std::move(table)), held_(held), selection_(selection), level_(level) {
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
    const Choice own_d = choose(arm, "D = " + human(out.d) + " tokens", [&](const RunRow& row) {
      return std::abs(row.d_tokens() - out.d) < static_cast<double>(row.record.batch_tokens);
    });
    // With one degree of freedom an interval covers and says little: other runs may leave more.
    std::optional<Found> weak;
    const auto is_found = [&](Choice choice, bool surface) {
      std::optional<Found> found;
      try {
        found = attempt(std::move(choice), surface, out, missing);
      } catch (const ConfigError&) {  // trouble in runs that can be done without
        if (!weak) throw;
      }
      if (!found) return false;
      if (found->law.is_weak) {
        if (!weak || found->law.df > weak->law.df) weak = std::move(found);
        return false;
      }
      take(*found, held, out, used);
      return true;
    };
    if (is_found(own_d, false) || is_found(of_its_ratio(arm, held, selection_.n_count), false) ||
        is_found(choose(arm, "all D", [](const RunRow&) { return true; }), true)) {
      return out;
    }
    if (weak) {
      take(*weak, held, out, used);
      return out;
    }
    throw ConfigError("no law predicts " + cell.folder + " (arm " + out.arm +
                      ", N = " + human(out.n) + ", D = " + human(out.d) + " tokens): " + missing +
                      ". Complete runs of this arm first that are not held out (`scalelaw sweep "
                      "status SPEC` says what is missing), add some to the sweep's file, or hold "
                      "out less");
  }

  // What no law of these arms was fitted to, with the reason, in the order of the folders' names.
  std::vector<UnusedRun> left_out(const std::set<std::string>& arms) const {
    std::map<std::string, std::string> reasons;
    for (const std::vector<Exclusion>* each : {&table_.excluded, &not_selected_}) {
      for (const Exclusion& e : *each) {
        if (!e.is_trial && (e.arm.empty() || arms.contains(e.arm))) {
          reasons.emplace(e.folder_name, e.reason);
        }
      }
    }
    std::vector<UnusedRun> runs;
    for (const auto& [folder, reason] : reasons) runs.push_back({folder, reason});
    return runs;
  }

  const Selection& selection() const { return selection_; }
  std::vector<std::string> take_warnings() { return std::move(warnings_); }

 private:
  struct Found {
    RunTable runs;
    RunPrediction law;
  };

  std::optional<Found> attempt(Choice choice, bool surface, const PredictedCell& cell,
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
      const NewRun run{cell.n, cell.d};
      found = surface ? predict_on_surface(choice.runs, selection_, seed, run, level_)
                      : predict_on_ladder(choice.runs, selection_, seed, run, level_, choice.over);
    }
    if (found.missing.empty()) return Found{std::move(choice.runs), std::move(found)};
    const std::string where = choice.over.empty() ? "at its own D / N" : "at " + choice.over;
    missing += (missing.empty() ? "" : "; ") + where + ", " + found.missing;
    return std::nullopt;
  }

  void take(const Found& found, const HeldOut& held, PredictedCell& out,
            std::vector<UsedRun>& used) {
    out.loss = found.law.loss;
    out.low = found.law.low;
    out.high = found.law.high;
    out.laws = found.law.laws;
    out.why = found.law.why;
    note(found.runs, held, out, used);
  }

  void select(RunTable& runs) {
    try {
      select_runs(runs, selection_, Horizons::kAll);
    } catch (const ConfigError& error) {
      throw ConfigError(std::string(error.what()) +
                        " (`scalelaw sweep exclude` leaves runs out of a sweep)");
    }
  }

  void note(const RunTable& runs, const HeldOut& held, PredictedCell& out,
            std::vector<UsedRun>& used) {
    double n = 0, d = 0;
    for (const RunRow& row : runs.rows) {
      const UsedRun run{row.record.content_hash, row.folder_name};
      out.runs.push_back(run.content_hash);
      if (std::find(used.begin(), used.end(), run) == used.end()) used.push_back(run);
      n = std::max(n, row.n(selection_.n_count));
      d = std::max(d, row.d_tokens());
      if (row.n(selection_.n_count) == out.n && row.d_tokens() == out.d) ++out.seen;
    }
    out.other_recipe = other_recipe(out, held, runs, selection_.n_count, held_.recipes);
    if (!out.other_recipe.empty()) warn(out.folder + ": " + transfer_in_words(out));
    not_selected_.insert(not_selected_.end(), runs.excluded.begin(), runs.excluded.end());
    for (const std::string& warning : runs.warnings) warn(warning);
    out.beyond = std::max(out.n / n, out.d / d);
    if (out.beyond <= kFarBeyond) return;
    warn(out.folder + " lies " + human(out.beyond) + " times beyond the largest " +
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
  const HeldOutSweep& held_;
  Selection selection_;  // the first choice fills in its test set
  double level_;
  std::vector<std::string> warnings_;
  std::vector<Exclusion> not_selected_;
};

[[noreturn]] void refuse_nothing_to_predict(const HeldOutSweep& held) {
  if (!held.excluded.empty()) {
    throw ConfigError("sweep " + held.sweep + " holds out " + held.excluded.front().first.folder +
                      (held.excluded.size() > 1 ? " and others" : "") +
                      ", all of them excluded: there is no run to predict. `scalelaw sweep exclude "
                      "--undo` takes one in again");
  }
  throw ConfigError("sweep " + held.sweep +
                    " holds nothing out: there is no run to predict. In the sweep's file, "
                    "`hold_out: {where: …, register: NAME}` says which runs wait for a "
                    "prediction, and `scalelaw sweep run` brings the record up to date");
}

}  // namespace

HeldOutPredictions predict_held_out(const std::filesystem::path& record_file,
                                    const Selection& selection, double level) {
  const HeldOutSweep held = read_held_out_cells(record_file);
  if (held.cells.empty()) refuse_nothing_to_predict(held);
  Selection chosen = selection;
  const std::string& own = held.cells.front().hold_out->test_set;
  if (chosen.test_set.empty()) chosen.test_set = own;
  Predictor predictor(read_runs({record_file}, HeldOutCells::kPassedOver), held, chosen, level);
  HeldOutPredictions out{
      store_of_record(record_file), {}, {}, held.unended, chosen.test_set == own ? "" : own};
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
  for (Prediction& prediction : out.predictions) {
    std::set<std::string> arms;
    for (const PredictedCell& cell : prediction.cells) arms.insert(cell.arm);
    prediction.left_out = predictor.left_out(arms);
    for (const auto& [cell, reason] : held.excluded) {
      if (cell.hold_out->prediction != prediction.name) continue;
      prediction.left_out.push_back({cell.folder, "held out, and excluded: " + reason});
    }
  }
  out.warnings = predictor.take_warnings();
  return out;
}

}  // namespace scalelaw
