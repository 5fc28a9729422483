#include "sweeps/tuning/tune.h"

#include <algorithm>

#include "sweeps/plan/reports.h"
#include "sweeps/tuning/rate_trials.h"
#include "sweeps/tuning/recipe.h"
#include "trainer/config_keys.h"
#include "trainer/config_yaml.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kRate = "train.learning_rate";
constexpr const char* kWhere = "tune.learning_rate.where";
constexpr int kTriedDigits = 4;
constexpr const char* kTooFew =
    ": fewer than three are left of its trials; take one in again (sweep exclude --undo)";

void set(FlatConfig& config, const std::string& key, const std::string& text,
         const SourcedText& source) {
  SourcedText value = source;
  value.text = text;
  config.insert_or_assign(key, std::move(value));
}

std::string scan_text(const TunedRecipe& scan) {
  return "the trials of " + scan.model + " at D " + human(scan.train_tokens) + " (" +
         std::to_string(scan.ended) + " of " + std::to_string(scan.trials) + " have ended)";
}

}  // namespace

void RateTuner::note(const SweepPoint& point) {
  const RunConfig config = resolve(point.config);
  Cell cell;
  cell.arm = point.place.arm;
  cell.file_rate = config.train.learning_rate;
  cell.train_tokens = static_cast<double>(config.horizon.tokens);
  ModelShape shape = canonical(config.model);
  const auto n_vocab = [&] { return data_.open(config.data.train).n_vocab; };
  shape.n_vocab = n_vocab();
  const std::optional<ModelCounts> counts = count(shape);
  if (counts) cell.n_params = n_params(shape, *counts, NCount::kNonEmbedding);
  if (!counts && tune_.fits_law) {
    throw KeyError("model.arch", shape.arch,
                   "gives no formula for N, which tune.learning_rate.then: fit_law needs");
  }
  check(point, config, cell);
  const bool is_scanned =
      tune_.where.text.empty() || holds(tune_.where, kWhere, point.config, n_vocab, expressions_);
  FlatConfig trial = point.config;
  const bool reads_validation = read_validation(trial);
  const auto [known, is_new] = scan_of_.emplace(
      recipe_of(resolve(trial), data_), is_scanned ? static_cast<int>(found_.scans.size()) : -1);
  if ((known->second >= 0) != is_scanned) {
    throw_config_error(tune_.where, kWhere,
                       "holds of some cells only of those that differ in rate and seeds alone; "
                       "they are scanned together");
  }
  cell.scan = known->second;
  if (is_scanned) {
    found_.reads_test_text = found_.reads_test_text || !reads_validation;
    if (is_new) {
      TunedRecipe fresh;
      fresh.model =
          shape.arch + " " + std::to_string(shape.n_layer) + " x " + std::to_string(shape.d_model);
      if (counts) fresh.n_params = cell.n_params;
      fresh.train_tokens = cell.train_tokens;
      fresh.file_rate = cell.file_rate;
      found_.scans.push_back(std::move(fresh));
      first_of_.push_back(point);
    }
    TunedRecipe& scan = found_.scans[static_cast<std::size_t>(cell.scan)];
    if (scan.file_rate != cell.file_rate) {
      throw KeyError(kRate, canonical(cell.file_rate),
                     "is " + canonical(scan.file_rate) +
                         " of a cell that differs in nothing but seeds, and tuning would give both "
                         "one rate; leave one out, or both by tune.learning_rate.where");
    }
    if (std::ranges::find(tune_.seeds, config.seeds.init) != tune_.seeds.end() ||
        std::ranges::find(tune_.seeds, config.seeds.data) != tune_.seeds.end()) {
      throw KeyError("seeds.init", std::to_string(config.seeds.init),
                     "seeds.data " + std::to_string(config.seeds.data) +
                         ": one of them is a trial's (tune.learning_rate.seeds), and the rate "
                         "would be chosen by the run's own luck; take others");
    }
    std::vector<int>& of_arm = scans_of_arm_[cell.arm];
    if (std::ranges::find(of_arm, cell.scan) == of_arm.end()) {
      of_arm.push_back(cell.scan);
      scan.arms.push_back(cell.arm);
    }
  }
  scans_of_arm_.try_emplace(cell.arm);
  cells_.push_back(std::move(cell));
}

void RateTuner::check(const SweepPoint& point, const RunConfig& config, const Cell& cell) const {
  for (const auto& [key, value] : point.config) {
    if (key == kRate || value.expression.find("learning_rate") == std::string::npos) continue;
    throw KeyError(key, value.expression,
                   "follows from the learning rate, which is tuned after it; write a number");
  }
  if (tune_.fits_law && cell.n_params <= 0) {
    throw KeyError("model.n_layer", std::to_string(config.model.n_layer),
                   "gives a model without parameters by N, of which tune.learning_rate.then: "
                   "fit_law can make no law");
  }
}

// Rates are chosen on text that no result is reported on.
bool RateTuner::read_validation(FlatConfig& config) const {
  const RunConfig resolved = resolve(config);
  const std::map<std::string, int64_t> tests = test_tokens(resolved);
  const DataSetInfo& train = data_.open(resolved.data.train);
  const auto own = tests.find(resolved.data.train);
  int64_t asked = own != tests.end() ? own->second : tests.begin()->second;
  const auto split = train.splits.find(Split::kValidation);
  const int64_t n_ctx = resolved.model.n_ctx;
  const int64_t held =
      split == train.splits.end() ? 0 : (split->second.n_tokens - 1) / n_ctx * n_ctx;
  const int64_t on_the_way =
      resolved.evaluate.points_per_decade > 0 ? resolved.evaluate.tokens : n_ctx;
  if (held < std::max(n_ctx, on_the_way)) return false;
  SourcedText source;
  if (const auto written = config.find("data.train"); written != config.end()) {
    source = written->second;
  }
  source.expression.clear();
  std::erase_if(config, [](const auto& entry) { return entry.first.starts_with("data.test"); });
  set(config, std::string(kTestPrefix) + resolved.data.train + "/val",
      std::to_string(std::min(asked, held)), source);
  return true;
}

SweepPoint RateTuner::trial_of(const SweepPoint& like, double rate, int64_t seed) const {
  SweepPoint trial = like;
  SourcedText source;
  if (const auto written = like.config.find(kRate); written != like.config.end()) {
    source = written->second;
  }
  source.expression = "tune";
  set(trial.config, kRate, canonical(rate), source);
  set(trial.config, "seeds.init", std::to_string(seed), source);
  set(trial.config, "seeds.data", std::to_string(seed), source);
  read_validation(trial.config);
  return trial;
}

void RateTuner::scan_one(TunedRecipe& scan, const SweepPoint& like, const Run& run) {
  constexpr std::size_t kLeastRates = 3;
  RateTrials trials;
  std::map<double, double> unrounded;
  const auto add = [&](double asked) {
    const double rate = rounded_rate(asked, kTriedDigits);
    unrounded[rate] = asked;
    for (const int64_t seed : tune_.seeds) {
      const Trial trial = run(trial_of(like, rate, seed));
      ++scan.trials;
      scan.ended += trial.end ? 1 : 0;
      scan.like = trial.cell;
      trials.add(rate, seed, trial.end);
    }
    scan.tried = trials.tried();
    for (TriedRate& tried : scan.tried) tried.unrounded = unrounded.at(tried.rate);
  };
  for (const double factor : tune_.factors) {
    add(scan.file_rate * factor);
  }
  for (int64_t further = 0; further < tune_.extend_at_edge; ++further) {
    if (trials.is_open() || scan.tried.size() < kLeastRates) break;
    const std::optional<double> beyond = rate_beyond(scan.tried);
    if (!beyond) break;
    add(*beyond);
  }
  if (trials.is_open()) {
    const int64_t asked = scan.trials - std::ssize(tune_.factors) * std::ssize(tune_.seeds);
    scan.may_follow = tune_.extend_at_edge * std::ssize(tune_.seeds) - asked;
    return;
  }
  scan.lacks_rates = scan.tried.size() < kLeastRates;
  scan.choice = scan.lacks_rates ? RateChoice{} : choose_rate(scan.tried);
}

void RateTuner::scan(const Run& run) {
  if (found_.scans.empty()) {
    throw_config_error(tune_.where, kWhere,
                       "holds of none of the " + std::to_string(cells_.size()) +
                           " cells; there is nothing to tune");
  }
  for (std::size_t i = 0; i < found_.scans.size(); ++i) {
    scan_one(found_.scans[i], first_of_[i], run);
  }
  for (const auto& [arm, scans] : scans_of_arm_) {
    int64_t& trials = found_.trials_of_arm[arm];
    for (const int scan : scans) trials += found_.scans[static_cast<std::size_t>(scan)].trials;
  }
  if (!tune_.fits_law) return;
  fit_laws();
  note_thin_laws();
}

// Known before any trial has run.
void RateTuner::note_thin_laws() {
  for (const auto& [arm, scans] : scans_of_arm_) {
    std::vector<double> sizes;
    for (const int scan : scans) {
      sizes.push_back(*found_.scans[static_cast<std::size_t>(scan)].n_params);
    }
    const std::size_t different = different_sizes(sizes);
    if (different == 0 || different >= kSizesForExponent) continue;
    const double scanned = *std::ranges::max_element(sizes);
    double largest = scanned;
    for (const Cell& cell : cells_) {
      if (cell.arm == arm && cell.scan < 0) largest = std::max(largest, cell.n_params);
    }
    if (largest <= scanned) continue;
    found_.thin_laws.push_back({arm, static_cast<int64_t>(different), largest / scanned});
  }
}

void RateTuner::fit_laws() {
  for (const auto& [arm, scans] : scans_of_arm_) {
    if (scans.empty()) continue;
    std::vector<RatePoint> points;
    bool all_ended = true;
    for (const int index : scans) {
      const TunedRecipe& scan = found_.scans[static_cast<std::size_t>(index)];
      all_ended = all_ended && scan.choice;
      if (!scan.choice || !scan.choice->is_optimum()) continue;
      points.push_back({*scan.n_params, scan.train_tokens, scan.file_rate, scan.choice->rate});
    }
    if (!all_ended) continue;
    ArmRateLaw of_arm{arm, fit_rate_law(points)};
    note_beyond(of_arm);
    found_.laws.push_back(std::move(of_arm));
  }
}

void RateTuner::note_beyond(ArmRateLaw& of_arm) const {
  if (!of_arm.law) return;
  const auto times = [](double value, double low, double high) {
    return std::max({1.0, value / high, low / value});
  };
  constexpr double kSame = 1.02;
  for (const Cell& cell : cells_) {
    if (cell.arm != of_arm.arm || cell.scan >= 0) continue;
    const double beyond =
        std::max(times(cell.n_params, of_arm.law->lowest_n, of_arm.law->highest_n),
                 times(cell.train_tokens, of_arm.law->lowest_d, of_arm.law->highest_d));
    if (beyond > kSame) ++of_arm.beyond;
    of_arm.furthest = std::max(of_arm.furthest, beyond);
  }
}

RateTuner::Settled RateTuner::settle(std::size_t index, FlatConfig& config) const {
  const Cell& cell = cells_[index];
  const auto take = [&](double rate) {
    SourcedText source;
    if (const auto written = config.find(kRate); written != config.end()) source = written->second;
    source.expression = "tune";
    set(config, kRate, canonical(rate), source);
    return Settled{};
  };
  if (cell.scan >= 0) {
    const TunedRecipe& scan = found_.scans[static_cast<std::size_t>(cell.scan)];
    if (!scan.choice) return {scan_text(scan), false};
    if (scan.choice->kind != BestRate::kNone) return take(scan.choice->rate);
    if (scan.lacks_rates) return {"a rate of " + scan.model + kTooFew, true};
    return {
        "a rate of " + scan.model + ": every one tried diverged; lower the file's learning rate",
        true};
  }
  if (!tune_.fits_law || scans_of_arm_.at(cell.arm).empty()) return {.by_trials = false};
  const auto law = std::ranges::find(found_.laws, cell.arm, &ArmRateLaw::arm);
  if (law == found_.laws.end()) return {"the law of its arm's trials", false};
  if (law->law) return take(law->law->rate_at(cell.file_rate, cell.n_params, cell.train_tokens));
  for (const int of_arm : scans_of_arm_.at(cell.arm)) {
    const TunedRecipe& scan = found_.scans[static_cast<std::size_t>(of_arm)];
    if (scan.lacks_rates) return {"the law of its arm's trials, of " + scan.model + kTooFew, true};
  }
  return {
      "the law of its arm's trials: their best rates are all at an edge; widen "
      "tune.learning_rate.factors or raise extend_at_edge",
      true};
}

}  // namespace scalelaw
