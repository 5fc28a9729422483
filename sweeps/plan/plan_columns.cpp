#include "sweeps/plan/plan_columns.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include "sweeps/language/model_size.h"

namespace scalelaw {
namespace {

double miss(const CellSize& size) {
  return size.n / size.asked - 1;
}

// Of the size that is missed most: "-8.9%".
std::string miss_text(const PlannedCell& cell) {
  if (cell.sizes.empty()) return "-";
  const CellSize& size = *std::ranges::max_element(
      cell.sizes, {}, [](const CellSize& each) { return std::abs(miss(each)); });
  char percent[32];
  std::snprintf(percent, sizeof percent, "%+.1f%%", 100 * miss(size));
  return percent;
}

std::string batch_text(const PlannedCell& cell) {
  return std::to_string(cell.config.train.batch_tokens);
}
std::string heads_text(const PlannedCell& cell) {
  const std::optional<int64_t> heads = n_head(cell);
  if (!heads) return "-";
  return std::to_string(*heads) + " x " + std::to_string(cell.shape.d_head());
}
std::string d_ff_text(const PlannedCell& cell) {
  const std::optional<int64_t> width = d_ff(cell);
  return width ? std::to_string(*width) : "-";
}

// Of cells that have it.
bool varies(const Plan& plan, const std::string& key,
            std::optional<double> (*value)(const PlannedCell&)) {
  if (std::ranges::find(plan.swept, key) != plan.swept.end()) return false;
  std::set<double> values;
  for (const PlannedCell& cell : plan.cells) {
    if (const std::optional<double> of_cell = value(cell)) values.insert(*of_cell);
  }
  return values.size() > 1;
}

std::optional<double> batch_of(const PlannedCell& cell) {
  return static_cast<double>(cell.config.train.batch_tokens);
}
std::optional<double> heads_of(const PlannedCell& cell) {
  if (!n_head(cell)) return std::nullopt;
  return static_cast<double>(*n_head(cell));
}
std::optional<double> ratio_of(const PlannedCell& cell) {
  if (!d_ff(cell)) return std::nullopt;
  return cell.shape.d_ff_ratio;
}

}  // namespace

std::optional<int64_t> n_head(const PlannedCell& cell) {
  if (!reads_field(cell.shape, "n_head")) return std::nullopt;
  return cell.shape.n_head;
}

std::optional<int64_t> d_ff(const PlannedCell& cell) {
  if (!reads_field(cell.shape, "d_ff_ratio")) return std::nullopt;
  return cell.shape.d_ff();
}

std::vector<PlanColumn> worked_out_columns(const Plan& plan) {
  std::vector<PlanColumn> columns;
  const bool is_missed = std::ranges::any_of(plan.cells, [](const PlannedCell& cell) {
    return std::ranges::any_of(
        cell.sizes, [](const CellSize& size) { return std::abs(miss(size)) > kSizeMet; });
  });
  if (is_missed) {
    columns.push_back({"miss", "of N from the size that a ladder asked for", miss_text, false});
  }
  if (varies(plan, "train.batch_tokens", batch_of)) {
    columns.push_back({"batch", "tokens a step", batch_text, false});
  }
  if (varies(plan, "model.n_head", heads_of)) {
    columns.push_back({"heads", "their number x features of each", heads_text, true});
  }
  if (varies(plan, "model.d_ff_ratio", ratio_of)) {
    columns.push_back({"d_ff", "width of the feed-forward layers", d_ff_text, true});
  }
  return columns;
}

}  // namespace scalelaw
