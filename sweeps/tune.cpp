#include "sweeps/tune.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "sweeps/recipe.h"
#include "sweeps/reports.h"
#include "trainer/config_keys.h"
#include "trainer/config_yaml.h"
#include "trainer/data_rules.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr const char* kRate = "train.learning_rate";
constexpr const char* kWhere = "tune.learning_rate.where";
constexpr int kTriedDigits = 4;

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
  const bool is_scanned =
      tune_.where.text.empty() || holds(tune_.where, kWhere, point.config, n_vocab, expressions_);
  if (is_scanned) {
    const auto [scan, is_new] =
        scan_of_.emplace(recipe_of(config), static_cast<int>(found_.scans.size()));
    cell.scan = scan->second;
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
    const double rate = found_.scans[static_cast<std::size_t>(cell.scan)].file_rate;
    if (rate != cell.file_rate) {
      throw KeyError(kRate, canonical(cell.file_rate),
                     "is " + canonical(rate) +
                         " of a cell that differs in nothing but seeds, and tuning would give both "
                         "one rate; leave one out, or both by tune.learning_rate.where");
    }
    std::vector<int>& of_arm = scans_of_arm_[cell.arm];
    if (std::ranges::find(of_arm, cell.scan) == of_arm.end()) {
      of_arm.push_back(cell.scan);
      found_.scans[static_cast<std::size_t>(cell.scan)].arms.push_back(cell.arm);
    }
  }
  found_.scans_of_arm[cell.arm] = std::ssize(scans_of_arm_[cell.arm]);
  cells_.push_back(std::move(cell));
}

// Rates are chosen on text that no result is reported on.
void RateTuner::read_validation(FlatConfig& config) {
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
  if (held < std::max(n_ctx, on_the_way)) {
    found_.reads_test_text = true;
    return;
  }
  SourcedText source;
  if (const auto written = config.find("data.train"); written != config.end()) {
    source = written->second;
  }
  source.expression.clear();
  std::erase_if(config, [](const auto& entry) { return entry.first.starts_with("data.test"); });
  set(config, std::string(kTestPrefix) + resolved.data.train + "/val",
      std::to_string(std::min(asked, held)), source);
}

SweepPoint RateTuner::trial_of(const SweepPoint& like, double rate, int64_t seed) {
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

// The mean over the seeds; those that have not ended leave scan.ended below scan.trials.
TriedRate RateTuner::try_rate(TunedRecipe& scan, const SweepPoint& like, double rate,
                              const Run& run) {
  TriedRate tried;
  tried.rate = rate;
  int64_t read = 0;
  for (const int64_t seed : tune_.seeds) {
    const std::optional<TrialEnd> end = run(trial_of(like, rate, seed));
    ++scan.trials;
    if (!end) continue;
    ++scan.ended;
    if (end->left_out) continue;
    tried.diverged = tried.diverged || end->diverged;
    tried.loss_nats += end->loss_nats;
    ++read;
  }
  // A rate of which nothing is known says no more than one that diverged.
  if (read == 0) tried.diverged = true;
  tried.loss_nats /= static_cast<double>(std::max<int64_t>(1, read));
  return tried;
}

void RateTuner::scan_one(TunedRecipe& scan, const SweepPoint& like, const Run& run) {
  const auto add = [&](double rate) {
    const int64_t open = scan.trials - scan.ended;
    const TriedRate tried = try_rate(scan, like, rate, run);
    if (scan.trials - scan.ended == open) scan.tried.push_back(tried);
    std::ranges::sort(scan.tried, {}, &TriedRate::rate);
  };
  for (const double factor : tune_.factors) {
    add(rounded_rate(scan.file_rate * factor, kTriedDigits));
  }
  for (int64_t further = 0; scan.ended == scan.trials && further < tune_.extend_at_edge;
       ++further) {
    const std::optional<double> beyond = rate_beyond(scan.tried);
    if (!beyond) break;
    add(*beyond);
  }
  if (scan.ended == scan.trials) scan.choice = choose_rate(scan.tried);
}

void RateTuner::scan(const Run& run) {
  if (found_.scans.empty()) {
    SourcedText condition = tune_.where;
    condition.text = condition.text.substr(std::string_view("= ").size());
    throw_config_error(condition, kWhere,
                       "holds of none of the " + std::to_string(cells_.size()) +
                           " cells; there is nothing to tune");
  }
  for (std::size_t i = 0; i < found_.scans.size(); ++i) {
    scan_one(found_.scans[i], first_of_[i], run);
  }
  if (tune_.fits_law) fit_laws();
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
    if (all_ended) found_.laws.push_back({arm, fit_rate_law(points)});
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
    return {
        "a rate of " + scan.model + ": every one tried diverged; lower the file's learning rate",
        true};
  }
  if (!tune_.fits_law || scans_of_arm_.at(cell.arm).empty()) return {};
  const auto law = std::ranges::find(found_.laws, cell.arm, &ArmRateLaw::arm);
  if (law == found_.laws.end()) return {"the law of its arm's trials", false};
  if (law->law) return take(law->law->rate_at(cell.file_rate, cell.n_params, cell.train_tokens));
  return {
      "the law of its arm's trials: their best rates are all at an edge; widen "
      "tune.learning_rate.factors or raise extend_at_edge",
      true};
}

std::vector<std::string> tuning_warnings(const TunedRates& tuned) {
  std::vector<std::string> texts;
  int64_t at_edge = 0;
  std::string first;
  for (const TunedRecipe& scan : tuned.scans) {
    if (!scan.choice || scan.choice->is_optimum() || scan.choice->kind == BestRate::kNone) continue;
    if (++at_edge == 1) {
      first = scan.model + ": " + human(scan.choice->rate) + ", the " +
              (scan.choice->kind == BestRate::kLowestEdge ? "lowest" : "highest") + " of " +
              std::to_string(scan.tried.size());
    }
  }
  if (at_edge > 0) {
    texts.push_back(std::to_string(at_edge) + " of " + std::to_string(tuned.scans.size()) +
                    " scans of the learning rate have their best at an edge (" + first +
                    "), a bound and no optimum: their runs take it, no law does; widen "
                    "tune.learning_rate.factors or raise extend_at_edge");
  }
  const auto [least, most] = std::ranges::minmax_element(
      tuned.scans_of_arm, {}, [](const auto& of_arm) { return of_arm.second; });
  if (least != tuned.scans_of_arm.end() && least->second < most->second) {
    texts.push_back("arms are tuned unequally: " + counted(least->second, "scan") + " of " +
                    least->first + ", " + std::to_string(most->second) + " of " + most->first +
                    "; what is tuned more looks better");
  }
  if (tuned.reads_test_text) {
    texts.push_back(
        "the train set has no val split that is long enough: rates are chosen on the test text "
        "that results are reported on; `scalelaw data build` makes one");
  }
  return texts;
}

}  // namespace scalelaw
