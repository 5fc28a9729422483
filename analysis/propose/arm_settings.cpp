#include "analysis/propose/arm_settings.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <limits>
#include <numeric>
#include <set>
#include <sstream>
#include <stdexcept>

#include "analysis/weighted_line.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSameSize = 0.05;      // in ln N
constexpr double kFarthestMiss = 0.25;  // in ln N, of a shape from the size that was asked for
constexpr int64_t kWidest = 1 << 17;
constexpr int64_t kStepOfOneWidth = 8;

// As somebody would write it.
double three_digits(double value) {
  std::ostringstream text;
  text << std::setprecision(3) << value;
  return parse_real(text.str()).value_or(value);
}

double flops_per_token(const ModelShape& shape, const ModelCounts& counts, CCount c_count) {
  try {
    return training_flops_per_token(shape, counts, c_count);
  } catch (const std::invalid_argument& error) {
    throw ConfigError("--c-count " + std::string(name(c_count)) + ": " + error.what());
  }
}

int64_t heads_like(const ModelShape& like, int64_t d_model) {
  if (like.n_head < 1 || like.d_model < 1) return 1;
  int64_t best = 1;
  double nearest = HUGE_VAL;
  for (int64_t heads = 1; heads <= std::min<int64_t>(d_model, 1024); ++heads) {
    if (d_model % heads != 0) continue;
    const double size = static_cast<double>(d_model) / static_cast<double>(heads);
    const double off = std::abs(
        std::log(size * static_cast<double>(like.n_head) / static_cast<double>(like.d_model)));
    if (off < nearest) {
      nearest = off;
      best = heads;
    }
  }
  return best;
}

}  // namespace

ArmSettings::ArmSettings(std::vector<const RunRow*> rows, NCount n_count, CCount c_count,
                         std::vector<HeldOut> waiting)
    : rows_(std::move(rows)), n_count_(n_count), c_count_(c_count), waiting_(std::move(waiting)) {}

bool ArmSettings::waits(const ProposedCell& cell) const {
  return std::ranges::any_of(waiting_, [&](const HeldOut& held) {
    const double tokens = static_cast<double>(held.train_tokens);
    return cell.shape && held.arch == cell.shape->arch &&
           std::abs(std::log(held.n(n_count_) / cell.n)) < kSameSize &&
           std::abs(std::log(tokens / cell.d_tokens)) < kSameSize;
  });
}

const RunRow& ArmSettings::nearest(double n) const {
  return **std::ranges::min_element(
      rows_, {}, [&](const RunRow* row) { return std::abs(std::log(row->n(n_count_) / n)); });
}

double ArmSettings::flops_of(const RunRow& row) const {
  if (row.tabled) {
    return row.tabled->flops.value_or(6 * row.n(n_count_) * row.d_tokens());
  }
  return row.d_tokens() * flops_per_token(row.record.shape, row.record.counts, c_count_);
}

template <typename Value>
double ArmSettings::law_at(double n, const Value& value) const {
  const double near = value(nearest(n));
  std::vector<LinePoint> points;
  std::set<double> sizes;
  bool differ = false;
  for (const RunRow* row : rows_) {
    const double v = value(*row);
    if (!(v > 0)) return near;
    differ = differ || std::abs(v / near - 1) > 1e-6;
    sizes.insert(row->n(n_count_));
    points.push_back({std::log(row->n(n_count_)), std::log(v), 1});
  }
  if (!differ || sizes.size() < 2) return near;
  return std::exp(fit_line(points).at(std::log(n)));
}

std::optional<ModelShape> ArmSettings::shape_near(double n) const {
  const ModelShape& like = nearest(n).record.shape;
  if (like.d_model < 1 || like.n_vocab < 1) return {};
  int64_t step = 0;
  std::set<int64_t> widths;
  for (const RunRow* row : rows_) {
    step = std::gcd(step, row->record.shape.d_model);
    widths.insert(row->record.shape.d_model);
  }
  if (widths.size() == 1) step = std::gcd(step, kStepOfOneWidth);
  ModelShape shape = like;
  shape.n_layer = std::llround(
      law_at(n, [](const RunRow& row) { return static_cast<double>(row.record.shape.n_layer); }));
  std::optional<ModelShape> best;
  double best_miss = kFarthestMiss;
  for (shape.d_model = step; shape.d_model <= kWidest; shape.d_model += step) {
    shape.n_head = reads_field(shape, "n_head") ? heads_like(like, shape.d_model) : like.n_head;
    if (!validate(shape).empty()) continue;
    const std::optional<ModelCounts> counts = count(shape);
    if (!counts) return {};
    const double found = n_params(shape, *counts, n_count_);
    const double miss = std::abs(std::log(found / n));
    if (miss < best_miss) {
      best_miss = miss;
      best = shape;
    }
    if (found > n) break;
  }
  return best;
}

std::optional<ProposedCell> ArmSettings::at_new_size(double n, std::optional<double> budget) const {
  const RunRow& like = nearest(n);
  ProposedCell cell;
  cell.first_seed = std::numeric_limits<int64_t>::max();
  for (const RunRow* row : rows_) {
    cell.first_seed =
        std::min(cell.first_seed, std::max(row->record.seed_init, row->record.seed_data));
  }
  double per_token = 0;
  if (like.tabled) {
    cell.n = three_digits(n);
    cell.first_seed = like.tabled->has_seed ? cell.first_seed : 1;
    per_token = cell.n * law_at(n, [&](const RunRow& row) {
                  return row.d_tokens() > 0 ? flops_of(row) / row.n(n_count_) / row.d_tokens() : 0;
                });
  } else {
    cell.shape = shape_near(n);
    if (!cell.shape) return {};
    const ModelCounts counts = *count(*cell.shape);
    cell.n = n_params(*cell.shape, counts, n_count_);
    per_token = flops_per_token(*cell.shape, counts, c_count_);
    cell.like = like.folder;
  }
  if (std::abs(std::log(nearest(cell.n).n(n_count_) / cell.n)) < kSameSize) return {};
  cell.d_tokens = budget && per_token > 0
                      ? *budget / per_token
                      : law_at(cell.n, [](const RunRow& row) { return row.d_tokens(); });
  cell.d_tokens = std::round(cell.d_tokens);
  cell.flops = per_token * cell.d_tokens;
  if (!std::isfinite(cell.n) || !std::isfinite(cell.flops) || waits(cell)) return {};
  const double near = nearest(cell.n).record.learning_rate;
  const double rate = law_at(cell.n, [](const RunRow& row) { return row.record.learning_rate; });
  cell.learning_rate = rate == near ? near : three_digits(rate);
  return cell;
}

ProposedCell ArmSettings::of_measured(const RunRow& row) const {
  ProposedCell cell;
  cell.n = row.n(n_count_);
  cell.d_tokens = row.d_tokens();
  cell.flops = flops_of(row);
  cell.measured = true;
  cell.learning_rate = row.record.learning_rate;
  if (!row.tabled) {
    cell.shape = row.record.shape;
    cell.like = row.folder;
  }
  cell.first_seed = 0;
  for (const RunRow* other : rows_) {
    if (other->record.recipe_hash != row.record.recipe_hash) continue;
    if (other->tabled && !other->tabled->has_seed) continue;
    cell.first_seed = std::max({cell.first_seed, other->record.seed_init, other->record.seed_data});
  }
  ++cell.first_seed;
  return cell;
}

}  // namespace scalelaw
