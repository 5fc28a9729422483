#include "analysis/frontier/frontier_runs.h"

#include <algorithm>
#include <cmath>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"

namespace scalelaw {
namespace {

std::string in_a_list(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list.append(list.empty() ? "" : ", ").append(word);
  return list;
}

void keep_arm(RunTable& table, const std::string& asked) {
  const std::vector<std::string> arms = table.arms();
  if (asked.empty() && arms.size() > 1) {
    throw ConfigError("there are several arms, and a frontier is of one: choose with --arm: " +
                      in_a_list(arms));
  }
  if (asked.empty()) return;
  if (std::ranges::find(arms, asked) == arms.end()) {
    throw ConfigError("--arm " + escaped(asked) + ": no run is of it" +
                      nearest_or_all(asked, arms));
  }
  std::erase_if(table.rows, [&](const RunRow& row) { return row.arm != asked; });
  std::erase_if(table.excluded, [&](const Exclusion& e) { return e.arm != asked; });
}

double flops_per_token(const RunRow& row, CCount c_count) {
  try {
    return training_flops_per_token(row.record.shape, row.record.counts, c_count);
  } catch (const std::invalid_argument& error) {
    throw ConfigError("--c-count " + std::string(name(c_count)) + ": " + row.folder_name + ": " +
                      error.what());
  }
}

LossCurve curve_of(const RunRow& row, const Selection& selection, double n, double flops, int run) {
  LossCurve curve{n, run, {}, {}, {}};
  const double factor = row.loss(selection.test_set, selection.metric) /
                        row.record.test.at(selection.test_set).loss_nats;
  for (const MetricsRow& metrics : read_metrics(row.folder)) {
    const auto loss = metrics.test_loss_nats.find(selection.test_set);
    const auto d = static_cast<double>(metrics.train_tokens);
    if (loss == metrics.test_loss_nats.end() || !(d >= 1) || !(loss->second > 0)) continue;
    if (!curve.d.empty() && d <= curve.d.back()) continue;
    curve.d.push_back(d);
    curve.c.push_back(d * flops);
    curve.loss.push_back(loss->second * factor);
  }
  return curve;
}

}  // namespace

FrontierData frontier_from_runs(RunTable table, Selection& selection, CCount c_count,
                                const std::string& arm) {
  keep_arm(table, arm);
  select_runs(table, selection, Horizons::kAll);
  FrontierData data;
  data.source = table.source;
  data.n_words =
      std::string(in_words(selection.n_count)) + " (" + std::string(name(selection.n_count)) + ")";
  data.d_words = "training tokens";
  data.c_words = "training FLOPs by " + std::string(name(c_count));
  data.loss_words =
      "final loss on " + selection.test_set + ", " + std::string(unit(selection.metric));
  data.warnings = table.warnings;
  for (const Exclusion& e : table.excluded) data.left_out.push_back({e.folder_name, e.reason});
  for (const RunRow& row : table.rows) {
    const double n = row.n(selection.n_count),
                 loss = row.loss(selection.test_set, selection.metric);
    if (!(n > 0) || !(loss > 0) || !std::isfinite(loss)) {
      data.left_out.push_back({row.folder_name, "no N by this count, or no loss above 0"});
      continue;
    }
    const double flops = flops_per_token(row, c_count);
    const auto run = static_cast<int>(data.points.size());
    data.points.push_back({n, row.d_tokens(), flops * row.d_tokens(), loss, run});
    try {
      LossCurve curve = curve_of(row, selection, n, flops, run);
      if (curve.d.size() > 1) data.curves.push_back(std::move(curve));
    } catch (const std::runtime_error& error) {
      data.warnings.push_back("no loss curve of " + row.folder_name + ": " + error.what());
    }
  }
  if (!data.curves.empty()) {
    data.warnings.push_back(
        "losses of a run before its end are of a schedule that had further to go: the envelope "
        "takes them as they are");
  }
  if (data.points.empty()) throw ConfigError(table.source + ": no run has an N by this count");
  return data;
}

}  // namespace scalelaw
