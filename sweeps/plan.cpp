#include "sweeps/plan.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <unordered_map>
#include <utility>

#include "sweeps/cell_expressions.h"
#include "sweeps/cell_hours.h"
#include "trainer/data_rules.h"
#include "trainer/number.h"
#include "trainer/run_identity.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

constexpr double kMostWarmup = 0.1;  // beyond it a short run is mostly warm-up
constexpr double kMostEpochs = 4;  // Muennighoff et al. 2023: repeats count almost in full up to 4

std::string place_text(const SweepPlace& place) {
  std::string text;
  if (!place.block.empty()) text += "block " + place.block;
  if (!place.arm.empty()) text += (text.empty() ? "" : ", ") + ("arm " + place.arm);
  return text;
}

}  // namespace

double memory_a_run(const PlanOptions& options) {
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  return options.memory_bytes > 0 ? options.memory_bytes / options.workers.jobs : kUnknown;
}

namespace {

void price(const PlanOptions& options, PlannedCell& cell) {
  const std::optional<ModelCounts> counts = count(cell.shape);
  if (!counts) return;
  cell.n_params = n_params(cell.shape, *counts, options.n_count);
  try {
    cell.train_flops = training_flops_per_token(cell.shape, *counts, options.c_count) *
                       static_cast<double>(cell.train_tokens);
  } catch (const std::invalid_argument&) {
    throw ConfigError("--c-count " + std::string(name(options.c_count)) +
                      ": is not defined for model.arch = " + cell.shape.arch +
                      "; choose exact_causal");
  }
  predict_hours(options, cell);
}

void weigh(const PlanOptions& options, PlannedCell& cell) {
  StepRequest request = request_for(cell.config, cell.shape, /*replicas=*/1);
  request.device = options.workers.device;
  const StepChoice choice = choose_step(request, memory_a_run(options));
  if (choice.needed_bytes > 0) cell.memory_bytes = choice.needed_bytes;
  cell.fits = choice.fits;
}

void evaluate(SweepPoint& point, DataSetHeaders& data) {
  evaluate_expressions(point.config, [&] {
    const auto written = point.config.find("data.train");
    const std::string name =
        written == point.config.end() ? DataConfig{}.train : written->second.text;
    try {
      return data.open(name).n_vocab;
    } catch (const ConfigError& error) {
      throw KeyError("data.train", name, error.what());
    }
  });
}

PlannedCell plan_cell(const SweepPoint& point, const PlanOptions& options, DataSetHeaders& data) {
  RunIdentity identity = identify(resolve(point.config), options.runs, data);
  PlannedCell cell;
  cell.config = std::move(identity.config);
  cell.content_hash = std::move(identity.content_hash);
  cell.folder = identity.folder.path.filename().string();
  cell.places = {point.place};
  return cell;
}

// What a merged cell is spared: a sweep of many equal cells stays cheap to plan.
void complete_cell(const PlanOptions& options, DataSetHeaders& data, PlannedCell& cell) {
  const DataSetInfo& train = data.open(cell.config.data.train);
  check_data_rules(cell.config, data);
  cell.shape = canonical(cell.config.model);
  cell.shape.n_vocab = train.n_vocab;
  cell.steps = total_steps(cell.config);
  cell.train_tokens = cell.steps * cell.config.train.batch_tokens;
  cell.unique_train_tokens =
      unique_train_tokens(cell.config, train.splits.at(Split::kTrain).n_tokens);
  price(options, cell);
  weigh(options, cell);
}

// One line a rule, however many cells it concerns.
std::vector<std::string> warnings_for(const PlanOptions& options,
                                      const std::vector<PlannedCell>& cells) {
  int64_t too_large = 0, long_warmup = 0, repeating = 0, many_epochs = 0, uncounted = 0,
          unmeasured = 0;
  double most_epochs = 0;
  for (const PlannedCell& cell : cells) {
    if (cell.config.train.schedule.warmup > kMostWarmup) ++long_warmup;
    const double epochs = static_cast<double>(cell.train_tokens) /
                          static_cast<double>(std::max<int64_t>(1, cell.unique_train_tokens));
    most_epochs = std::max(most_epochs, epochs);
    if (cell.train_tokens > cell.unique_train_tokens) ++repeating;
    if (epochs > kMostEpochs) ++many_epochs;
    if (!cell.train_flops) ++uncounted;
    if (measured_core(options) != nullptr && !measured_step_seconds(options, cell)) ++unmeasured;
    if (!cell.fits) ++too_large;
  }
  std::vector<std::string> warnings;
  const auto warn = [&](int64_t count, const std::string& what) {
    if (count > 0)
      warnings.push_back(std::to_string(count) + " of " + std::to_string(cells.size()) +
                         " cells: " + what);
  };
  warn(too_large, "need more than a run's share of this machine's memory, " +
                      human(memory_a_run(options)) +
                      " bytes, however the step is computed, and will be refused; marked ! (fewer "
                      "runs side by side have more each)");
  warn(long_warmup, "warm-up takes more than 10% of the horizon (train.schedule.warmup)");
  warn(repeating - many_epochs,
       "the horizon is longer than the train split; tokens are seen more than once");
  warn(many_epochs, "more than 4 epochs of the train split, up to " + human(most_epochs) +
                        "; repeats beyond 4 teach little");
  warn(unmeasured,
       "the device's file has too few rows of the architecture in this precision; "
       "hours at the stated rate");
  warn(uncounted, "the architecture gives no formula; N, FLOPs and hours are not known");
  return warnings;
}

// Settings that no cell reads: one that some cells share with others is not a slip.
class UnreadSettings {
 public:
  void note(const FlatConfig& written, const RunConfig& config) {
    std::set<std::string> unread;
    for (const UnreadKey& key : unread_keys(written, config)) {
      unread.insert(key.key);
      std::optional<std::string>& kept = places_[{key.value.line, key.key}];
      if (!key.is_default && !kept) kept = describe(key);
    }
    for (const auto& [key, value] : written) {
      if (!unread.contains(key)) read_.insert({value.line, key});
    }
  }
  std::vector<std::string> warnings() const {
    std::vector<std::string> texts;
    for (const auto& [place, text] : places_) {
      if (text && !read_.contains(place)) texts.push_back(*text);
    }
    return texts;
  }

 private:
  using Place = std::pair<int, std::string>;  // line, key
  std::map<Place, std::optional<std::string>> places_;
  std::set<Place> read_;
};

std::vector<std::string> swept_keys(const SweepSpec& spec) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& key) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
  };
  for (const SweepBlock& block : spec.blocks) {
    for (const SweepAxis& axis : block.grid) add(axis.key);
    for (const SweepAxis& axis : block.zip) add(axis.key);
    for (const FlatConfig& entry : block.list) {
      for (const auto& [key, value] : entry) add(key);
    }
  }
  return keys;
}

// From wherever it is read.
std::string whole_path(const std::string& file) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(file, error);
  return error ? file : whole.string();
}

// A cell's fault with the line of its key and the part of the sweep that asks for the cell.
template <typename Action>
void at_its_place(const SweepPoint& point, const Action& act) {
  try {
    try {
      act();
    } catch (const KeyError& error) {
      throw_at_its_place(error, point.config);
    }
  } catch (const ConfigError& error) {
    const std::string where = place_text(point.place);
    throw ConfigError(error.what() + (where.empty() ? "" : " (in " + where + ")"));
  }
}

}  // namespace

Plan make_plan(const SweepSpec& spec, const PlanOptions& options) {
  Plan plan{spec.name, spec.file, spec.content_hash, options, {}, 0, swept_keys(spec), {}};
  UnreadSettings unread;
  DataSetHeaders data(options.data);
  std::unordered_map<std::string, std::size_t> index_of;  // content hash -> cell
  for (SweepPoint& point : expand(spec)) {
    ++plan.asked_for;
    at_its_place(point, [&] {
      evaluate(point, data);
      PlannedCell cell = plan_cell(point, options, data);
      unread.note(point.config, cell.config);
      const auto [place, is_first] = index_of.emplace(cell.content_hash, plan.cells.size());
      if (is_first) {
        complete_cell(options, data, cell);
        plan.cells.push_back(std::move(cell));
        return;
      }
      std::vector<SweepPlace>& places = plan.cells[place->second].places;
      if (std::find(places.begin(), places.end(), point.place) == places.end()) {
        places.push_back(point.place);
      }
    });
  }
  plan.warnings = warnings_for(options, plan.cells);
  for (std::string& text : unread.warnings()) plan.warnings.push_back(std::move(text));
  return plan;
}

SweepRecord record_of(const Plan& plan) {
  SweepRecord record;
  record.name = plan.name;
  record.spec_file = whole_path(plan.spec_file);
  record.spec_hash = plan.spec_hash;
  for (const PlannedCell& cell : plan.cells) {
    record.cells.push_back({cell.content_hash, cell.folder, cell.places});
  }
  return record;
}

void refuse_name_of_another_sweep(const std::filesystem::path& record_file, const Plan& plan) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(record_file, error)) return;
  SweepRecord record;
  try {
    record = read_sweep_record(record_file);
  } catch (const std::runtime_error& fault) {
    throw ConfigError(fault.what());
  }
  if (record.spec_hash == plan.spec_hash) return;
  if (whole_path(record.spec_file) == whole_path(plan.spec_file)) return;
  throw ConfigError(plan.spec_file + ": name = " + plan.name + ": is the sweep of " +
                    record.spec_file + " in this store (" + record_file.string() +
                    "); choose another name, or, if it is the same sweep and its file was moved "
                    "and edited, move that record away (no run is lost)");
}

std::filesystem::path run_folder(const Plan& plan, const PlannedCell& cell) {
  return plan.options.runs / cell.folder;
}

}  // namespace scalelaw
