#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/figures/paper_figures.h"

namespace scalelaw {
namespace {

constexpr std::size_t kFewestEvaluations = 8;  // of a learning curve
constexpr std::size_t kFewestBins = 4;         // of loss by position
constexpr int kFewestOfALadder = 3, kFewestOfABudget = 5;

using Size = std::pair<std::string, int64_t>;  // arm, N

Size size_of(const RunRow& row) {
  return {row.arm, std::llround(row.n(NCount::kNonEmbedding))};
}

// Values within 10% are one.
int64_t tenths(double value) {
  return value > 0 ? std::llround(std::log(value) / std::log(1.1)) : 0;
}

template <class Key, class Value>
int most(const std::map<Key, std::set<Value>>& groups) {
  std::size_t count = 0;
  for (const auto& [key, values] : groups) count = std::max(count, values.size());
  return static_cast<int>(count);
}

template <class Key, class Value>
std::set<Key> of_at_least(const std::map<Key, std::set<Value>>& groups, int fewest) {
  std::set<Key> keys;
  for (const auto& [key, values] : groups) {
    if (static_cast<int>(values.size()) >= fewest) keys.insert(key);
  }
  return keys;
}

int most_of_an_arm(const std::set<Size>& sizes) {
  std::map<std::string, std::set<int64_t>> by_arm;
  for (const auto& [arm, n] : sizes) by_arm[arm].insert(n);
  return most(by_arm);
}

// The rate at a quarter, half, three quarters and the end of training over its peak, in tenths.
std::vector<int64_t> schedule_form(const std::vector<MetricsRow>& rows) {
  double peak = 0;
  for (const MetricsRow& row : rows) peak = std::max(peak, row.learning_rate.value_or(0));
  if (!(peak > 0)) return {};
  std::vector<int64_t> form;
  for (const double share : {0.25, 0.5, 0.75, 1.0}) {
    const auto until = static_cast<int64_t>(share * static_cast<double>(rows.back().step));
    double rate = 0;
    for (const MetricsRow& row : rows) {
      if (row.step <= until && row.learning_rate) rate = *row.learning_rate;
    }
    form.push_back(std::llround(10 * rate / peak));
  }
  return form;
}

struct Curves {
  std::set<Size> sizes;
  std::map<Size, std::set<std::vector<int64_t>>> schedules;
  std::size_t test_sets = 0;

  void add(const RunRow& row) {
    std::vector<MetricsRow> rows;
    try {
      rows = read_metrics(row.folder);
    } catch (const std::runtime_error&) {
      return;
    }
    if (rows.empty()) return;
    std::map<std::string, std::size_t> evaluations;
    for (const MetricsRow& metrics : rows) {
      for (const auto& [set, loss] : metrics.test_loss_nats) ++evaluations[set];
    }
    const auto sets = static_cast<std::size_t>(
        std::count_if(evaluations.begin(), evaluations.end(),
                      [](const auto& set) { return set.second >= kFewestEvaluations; }));
    if (sets > 0) sizes.insert(size_of(row));
    test_sets = std::max(test_sets, sets);
    const std::vector<int64_t> form = schedule_form(rows);
    if (!form.empty()) schedules[size_of(row)].insert(form);
  }
};

}  // namespace

Holdings holdings(const RunTable& table) {
  std::map<std::pair<std::string, int64_t>, std::set<int64_t>> sizes_at;  // arm, D
  std::map<Size, std::set<int64_t>> horizons, limited;
  std::map<int64_t, std::set<Size>> depths, contexts, budgets;
  std::map<std::string, std::set<int64_t>> architectures;
  std::map<std::tuple<std::string, int64_t, int64_t>, std::set<std::vector<double>>> shapes;
  std::map<std::tuple<std::string, int64_t, double>, std::set<int64_t>> batches;
  std::set<Size> noise, positions;
  Curves curves;
  Holdings out;
  std::size_t test_sets = 0;
  for (const RunRow& row : table.rows) {
    const RunRecord& record = row.record;
    const ModelShape& shape = record.shape;
    const Size size = size_of(row);
    const int64_t d = tenths(row.d_tokens());
    sizes_at[{row.arm, d}].insert(size.second);
    horizons[size].insert(d);
    depths[shape.n_layer].insert(size);
    contexts[shape.n_ctx].insert(size);
    budgets[tenths(row.training_flops())].insert(size);
    architectures[shape.arch].insert(size.second);
    shapes[{shape.arch, d, tenths(static_cast<double>(size.second))}].insert(
        {static_cast<double>(shape.n_layer), static_cast<double>(shape.d_model), shape.d_ff_ratio,
         static_cast<double>(shape.n_head)});
    batches[{size.first, size.second, record.learning_rate}].insert(record.batch_tokens);
    if (record.train_tokens > record.unique_train_tokens && record.unique_train_tokens > 0) {
      limited[size].insert(record.unique_train_tokens);
    }
    if (record.noise_scale && record.noise_scale->tokens) noise.insert(size);
    test_sets = std::max(test_sets, record.test.size());
    for (const auto& [set, result] : record.test) {
      if (result.by_position.size() >= kFewestBins) positions.insert(size);
    }
    curves.add(row);
  }
  std::set<Size> scanned;
  for (const auto& [arm, n, rate] : of_at_least(batches, 3)) scanned.insert({arm, n});
  out.sizes = most(sizes_at);
  out.horizons = most(horizons);
  out.grid_sizes = most_of_an_arm(of_at_least(horizons, 3));
  out.curve_sizes = most_of_an_arm(curves.sizes);
  out.depths = static_cast<int>(of_at_least(depths, kFewestOfALadder).size());
  out.contexts = static_cast<int>(of_at_least(contexts, kFewestOfALadder).size());
  out.shapes = most(shapes);
  out.isoflop_budgets = static_cast<int>(of_at_least(budgets, kFewestOfABudget).size());
  out.scanned_sizes = static_cast<int>(scanned.size());
  out.noise_sizes = static_cast<int>(noise.size());
  out.position_sizes = most_of_an_arm(positions);
  out.test_sets = static_cast<int>(test_sets);
  out.curve_test_sets = static_cast<int>(curves.test_sets);
  out.limited_texts = most(limited);
  out.schedules = most(curves.schedules);
  out.architectures = of_at_least(architectures, kFewestOfALadder);
  return out;
}

}  // namespace scalelaw
