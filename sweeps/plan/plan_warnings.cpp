#include "sweeps/plan/plan_warnings.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <set>

#include "sweeps/language/model_size.h"
#include "sweeps/language/named_laws.h"
#include "sweeps/plan/cell_hours.h"
#include "trainer/bytes_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kMostWarmup = 0.1;  // beyond it a short run is mostly warm-up
constexpr double kMostEpochs = 4;  // Muennighoff et al. 2023: repeats count almost in full up to 4
constexpr double kMostEmbeddings = 0.5;  // of the parameters
constexpr double kMostRate = 1;          // of learning: beyond it a formula has slipped
constexpr double kHeadsOff = 1.5;        // times the features a head that were asked for
constexpr double kLeastApart = 1.1;      // sizes nearer than this tell a slope nothing
constexpr double kBudgetMet = 0.01;      // of its FLOPs, that half a step may be

class Warnings {
 public:
  explicit Warnings(const Plan& plan) : cells_(plan.cells.size()) {}

  void add(int64_t count, const std::string& what) {
    if (count > 0) add(std::to_string(count) + " of " + std::to_string(cells_) + " cells: " + what);
  }
  void add(std::string text) { texts_.push_back(std::move(text)); }
  std::vector<std::string> take() { return std::move(texts_); }

 private:
  std::size_t cells_;
  std::vector<std::string> texts_;
};

double epochs(const PlannedCell& cell) {
  return static_cast<double>(cell.train_tokens) /
         static_cast<double>(std::max<int64_t>(1, cell.unique_train_tokens));
}

// A tied head is stored once, as embedding.
bool is_mostly_embeddings(const PlannedCell& cell) {
  const std::optional<ModelCounts> counts = count(cell.shape);
  if (!counts) return false;
  const ParameterCounts& p = counts->parameters;
  const auto tables = static_cast<double>(p.token_embedding + p.position_embedding + p.head);
  return tables > kMostEmbeddings * static_cast<double>(p.total());
}

void warn_of_runs(const Plan& plan, Warnings& warnings) {
  const PlanOptions& options = plan.options;
  int64_t too_large = 0, long_warmup = 0, repeating = 0, many_epochs = 0, uncounted = 0,
          unmeasured = 0, embeddings = 0, high_rates = 0;
  double most_epochs = 0, highest_rate = 0;
  for (const PlannedCell& cell : plan.cells) {
    if (cell.config.train.schedule.warmup > kMostWarmup) ++long_warmup;
    most_epochs = std::max(most_epochs, epochs(cell));
    if (cell.train_tokens > cell.unique_train_tokens) ++repeating;
    if (epochs(cell) > kMostEpochs) ++many_epochs;
    if (is_mostly_embeddings(cell)) ++embeddings;
    if (cell.config.train.learning_rate > kMostRate) ++high_rates;
    highest_rate = std::max(highest_rate, cell.config.train.learning_rate);
    if (!cell.train_flops) ++uncounted;
    if (options.throughput && !measured_step_seconds(options, cell)) ++unmeasured;
    if (!cell.fits) ++too_large;
  }
  warnings.add(too_large, "need more than a run's share of this machine's memory, " +
                              bytes_text(memory_a_run(options)) +
                              ", however the step is computed, and will be refused; marked ! "
                              "(fewer runs side by side have more each)");
  warnings.add(long_warmup, "warm-up takes more than 10% of the horizon (train.schedule.warmup)");
  warnings.add(high_rates, "train.learning_rate is above 1, up to " + human(highest_rate) +
                               "; such a run diverges: is a factor missing?");
  warnings.add(repeating - many_epochs,
               "the horizon is longer than the train split; tokens are seen more than once");
  warnings.add(many_epochs, "more than 4 epochs of the train split, up to " + human(most_epochs) +
                                "; repeats beyond 4 teach little");
  warnings.add(embeddings,
               "embeddings are over half of the parameters; a law in N depends on what N counts, "
               "so fit it both without them and with the head's");
  warnings.add(
      unmeasured,
      "the device's file has too few rows of the architecture in this precision; hours "
      "at " +
          (options.workers.device == DeviceKind::kCpu ? "a stated " + stated_rate(options)
                                                      : "rates that are assumed of a GPU") +
          ", until --calibrate has measured it");
  warnings.add(uncounted, "the architecture gives no formula; N, FLOPs and hours are not known");
}

void warn_of_heads(const Plan& plan, Warnings& warnings) {
  int64_t off = 0;
  double furthest = 0, asked = 0, got = 0;
  for (const PlannedCell& cell : plan.cells) {
    const auto d_head = static_cast<double>(cell.shape.d_head());
    const auto miss = [&](const CellSize& size) {
      return size.asked_d_head > 0 ? std::abs(std::log(d_head / size.asked_d_head)) : 0;
    };
    const auto worst = std::ranges::max_element(cell.sizes, {}, miss);
    if (worst == cell.sizes.end() || miss(*worst) <= std::log(kHeadsOff)) continue;
    ++off;
    if (miss(*worst) <= furthest) continue;
    furthest = miss(*worst);
    asked = worst->asked_d_head;
    got = d_head;
  }
  warnings.add(off, "no number of heads brings d_model / n_head near ladder.d_head: of " +
                        human(asked) + " asked for it is " + human(got) +
                        " at worst; widths below ladder.d_head have one head, other widths are "
                        "multiples of it by ladder.width_multiple");
}

void warn_of_sizes(const Plan& plan, Warnings& warnings) {
  int64_t missed = 0, shared = 0, default_depth = 0;
  double furthest = 0;
  for (const PlannedCell& cell : plan.cells) {
    if (std::ranges::any_of(cell.sizes, &CellSize::has_default_depth)) ++default_depth;
    if (cell.sizes.size() > 1) ++shared;
    bool is_missed = false;
    for (const CellSize& size : cell.sizes) {
      const double off = size.n / size.asked - 1;
      if (std::abs(off) <= kSizeMet) continue;
      is_missed = true;
      if (std::abs(off) > std::abs(furthest)) furthest = off;
    }
    if (is_missed) ++missed;
  }
  warnings.add(missed, "the nearest model misses the ladder's size by more than 1%, by " +
                           std::string(furthest > 0 ? "+" : "") + human(100 * furthest) +
                           "% at most; N is the model's own (widths that ladder.width_multiple, "
                           "model.n_head and model.d_ff_ratio allow lie no nearer)");
  warn_of_heads(plan, warnings);
  warnings.add(shared, "several sizes of a ladder come to the same model; ask for fewer of them");
  warnings.add(
      default_depth,
      "a ladder without aspect, of cells that set no model.n_layer, leaves their layers at "
      "the default; set one of the two");
}

// Cells whose sizes one looks at side by side: of an arm, a block and a budget, alike in all that
// the sweep turns but what goes with size; where no ladder asked for them of one depth, too, since
// shapes of one size are often what is studied.
std::string rungs_of(const Plan& plan, const PlannedCell& cell, const SweepPlace& place) {
  static const std::set<std::string> kGoesWithSize = {
      "model.d_model", "model.n_head",   "train.learning_rate", "train.batch_tokens",
      "seeds.init",    "horizon.tokens", "seeds.data"};
  std::string text = place.arm + "\n" + place.block + "\n" + canonical(cell.budget.value_or(0));
  if (cell.sizes.empty()) text += "\n" + std::to_string(cell.shape.n_layer);
  if (plan.swept.empty()) return text;
  for (const auto& [key, value] : canonical_values(cell.config)) {
    const bool is_swept = std::ranges::find(plan.swept, key) != plan.swept.end();
    if (is_swept && !kGoesWithSize.contains(key)) text += "\n" + value;
  }
  return text;
}

void warn_of_close_sizes(const Plan& plan, Warnings& warnings) {
  std::map<std::string, std::set<double>> sizes;
  for (const PlannedCell& cell : plan.cells) {
    if (cell.is_trial) continue;
    for (const SweepPlace& place : cell.places) {
      std::set<double>& of_rungs = sizes[rungs_of(plan, cell, place)];
      for (const CellSize& size : cell.sizes) of_rungs.insert(size.asked);
      if (cell.sizes.empty() && cell.n_params.value_or(0) > 0) of_rungs.insert(*cell.n_params);
    }
  }
  int64_t pairs = 0;
  double closest = std::numeric_limits<double>::infinity();
  for (const auto& [rungs, all] : sizes) {
    for (auto it = all.begin(); it != all.end() && std::next(it) != all.end(); ++it) {
      const double ratio = *std::next(it) / *it;
      if (ratio >= kLeastApart) continue;
      ++pairs;
      closest = std::min(closest, ratio);
    }
  }
  if (pairs == 0) return;
  warnings.add(std::to_string(pairs) + (pairs == 1 ? " pair" : " pairs") +
               " of neighbouring sizes are less than 10% apart in N, the closest by " +
               human(100 * (closest - 1)) + "%; they tell a slope little for their price");
}

// The nearest whole number of steps is up to half a step off.
void warn_of_budgets(const Plan& plan, Warnings& warnings) {
  int64_t coarse = 0, fewest = std::numeric_limits<int64_t>::max();
  for (const PlannedCell& cell : plan.cells) {
    if (!cell.budget || 0.5 <= kBudgetMet * static_cast<double>(cell.steps)) continue;
    ++coarse;
    fewest = std::min(fewest, cell.steps);
  }
  warnings.add(coarse, "half a step is more than " + human(100 * kBudgetMet) +
                           "% of the FLOPs that were asked for, up to " +
                           human(50 / static_cast<double>(fewest)) +
                           "%: by so much runs of one budget may differ; a smaller "
                           "train.batch_tokens makes more steps of it");
}

std::string range_text(const FittedRange& range) {
  return human(range.low) + " to " + human(range.high);
}

struct Spread {
  double low = std::numeric_limits<double>::infinity(), high = 0;
  void take(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

void warn_of_law(const Plan& plan, const NamedLaw& law, Warnings& warnings) {
  int64_t outside = 0;
  Spread n, d;
  for (const PlannedCell& cell : plan.cells) {
    if (std::ranges::find(cell.laws, &law) == cell.laws.end()) continue;
    const std::optional<ModelCounts> counts = count(cell.shape);
    if (!counts) continue;
    const double cell_n = n_params(cell.shape, *counts, law.n_counts);
    const auto cell_d = static_cast<double>(cell.train_tokens);
    if (law.n.holds(cell_n) && law.d.holds(cell_d)) continue;
    ++outside;
    n.take(cell_n);
    d.take(cell_d);
  }
  if (outside == 0) return;
  std::string fitted, here;
  if (law.n.low > 0)
    fitted = "N " + range_text(law.n) + " (" + std::string(name(law.n_counts)) + ")";
  if (law.d.low > 0) fitted += (fitted.empty() ? "D " : ", D ") + range_text(law.d);
  if (law.n.low > 0) here = "N " + human(n.low) + " to " + human(n.high);
  if (law.d.low > 0) here += (here.empty() ? "D " : ", D ") + human(d.low) + " to " + human(d.high);
  warnings.add(outside, std::string(law.call) + " (" + std::string(law.source) +
                            ") was fitted on " + fitted + " and is used outside of it, at " + here +
                            "; check it by a few runs of your own");
}

}  // namespace

std::vector<std::string> warnings_of(const Plan& plan) {
  Warnings warnings(plan);
  warn_of_runs(plan, warnings);
  warn_of_sizes(plan, warnings);
  warn_of_close_sizes(plan, warnings);
  warn_of_budgets(plan, warnings);
  for (const NamedLaw& law : named_laws()) warn_of_law(plan, law, warnings);
  return warnings.take();
}

OverriddenSettings::OverriddenSettings(const FlatConfig& base,
                                       const std::vector<std::string>& swept)
    : unused_(base) {
  for (const std::string& key : swept) unused_.erase(key);
}

void OverriddenSettings::note(const FlatConfig& written) {
  std::erase_if(unused_, [&](const auto& entry) {
    const auto found = written.find(entry.first);
    if (found == written.end()) return false;
    const SourcedText &one = found->second, &other = entry.second;
    return one.line == other.line && one.file == other.file && one.text == other.text;
  });
}

std::vector<std::string> OverriddenSettings::warnings() const {
  std::vector<std::string> texts;
  for (const auto& [key, value] : unused_) {
    texts.push_back(at_its_line(
        value, key, "has no effect: every cell has another value, of its arm or block"));
  }
  return texts;
}

void UnreadSettings::note(const FlatConfig& written, const RunConfig& config) {
  std::set<std::string> unread;
  for (const UnreadKey& key : unread_keys(written, config)) {
    unread.insert(key.key);
    std::optional<std::string>& kept = places_[{key.value.file, key.value.line, key.key}];
    if (!key.is_default && !kept) kept = describe(key);
  }
  for (const auto& [key, value] : written) {
    if (!unread.contains(key)) read_.insert({value.file, value.line, key});
  }
}

std::vector<std::string> UnreadSettings::warnings() const {
  std::vector<std::string> texts;
  for (const auto& [place, text] : places_) {
    if (text && !read_.contains(place)) texts.push_back(*text);
  }
  return texts;
}

}  // namespace scalelaw
