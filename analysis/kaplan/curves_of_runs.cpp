#include "analysis/kaplan/curves_of_runs.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/predict/surface_verb.h"
#include "trainer/config_error.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

TrainingCurve curve_of(const RunRow& row, const Selection& selection) {
  TrainingCurve curve;
  curve.name = row.folder_name;
  curve.n = row.n(selection.n_count);
  curve.batch = static_cast<double>(row.record.batch_tokens);
  curve.unique = static_cast<double>(row.record.unique_train_tokens);
  const double factor = row.loss(selection.test_set, selection.metric) /
                        row.record.test.at(selection.test_set).loss_nats;
  double highest = 0;
  for (const MetricsRow& metrics : read_metrics(row.folder)) {
    if (metrics.learning_rate && *metrics.learning_rate > highest) {
      highest = *metrics.learning_rate;
      curve.warmup = static_cast<double>(metrics.step);
    }
    const auto loss = metrics.test_loss_nats.find(selection.test_set);
    const auto step = static_cast<double>(metrics.step);
    if (loss == metrics.test_loss_nats.end() || !(step >= 1) || !(loss->second > 0)) continue;
    if (!curve.step.empty() && step <= curve.step.back()) continue;
    curve.step.push_back(step);
    curve.loss.push_back(loss->second * factor);
  }
  return curve;
}

// Runs of several batches, or of several amounts of text, are what the chain is about, and
// select_runs() would refuse them as mixed recipes.
RunTable selected(const RunTable& all, Selection& selection) {
  std::map<std::pair<int64_t, int64_t>, RunTable> apart;
  for (const RunRow& row : all.rows) {
    const int64_t unique = row.record.unique_train_tokens;
    const bool repeats = unique > 0 && row.record.train_tokens > unique;
    RunTable& part = apart[{row.record.batch_tokens, repeats ? unique : 0}];
    part.source = all.source;
    part.rows.push_back(row);
  }
  RunTable together = all;
  together.rows.clear();
  for (auto& [key, part] : apart) {
    select_runs(part, selection, Horizons::kAll);
    std::ranges::move(part.rows, std::back_inserter(together.rows));
    std::ranges::move(part.excluded, std::back_inserter(together.excluded));
    std::ranges::move(part.warnings, std::back_inserter(together.warnings));
  }
  return together;
}

}  // namespace

CurveData curves_of_runs(RunTable table, Selection& selection, const std::string& arm) {
  const std::string chosen = chosen_arm(table, arm);
  std::erase_if(table.rows, [&](const RunRow& row) { return row.arm != chosen; });
  if (table.rows.empty()) throw ConfigError(table.source + ": no complete run");
  table = selected(table, selection);
  CurveData data;
  data.source = table.source;
  data.n_words =
      std::string(in_words(selection.n_count)) + " (" + std::string(name(selection.n_count)) + ")";
  data.batch_words = "tokens an update, of the runs' records";
  data.loss_words =
      "loss on " + selection.test_set + " while training, " + std::string(unit(selection.metric));
  data.warnings = table.warnings;
  for (const Exclusion& e : table.excluded) data.left_out.push_back({e.folder_name, e.reason});
  for (const RunRow& row : table.rows) {
    try {
      TrainingCurve curve = curve_of(row, selection);
      if (!(curve.n > 0) || curve.step.empty()) {
        data.left_out.push_back({row.folder_name, "no N by this count, or no evaluation"});
        continue;
      }
      data.curves.push_back(std::move(curve));
    } catch (const std::runtime_error& error) {
      data.left_out.push_back({row.folder_name, error.what()});
    }
  }
  if (data.curves.empty()) throw ConfigError(table.source + ": no run has a training curve");
  data.warnings.push_back(
      "losses of a run before its end are of a schedule that had further to go: they are taken as "
      "they are, as Kaplan et al. did");
  return data;
}

}  // namespace scalelaw
