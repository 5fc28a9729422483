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
#include "sweeps/expression.h"
#include "sweeps/override_keys.h"
#include "sweeps/plan_warnings.h"
#include "sweeps/setting_effects.h"
#include "trainer/data_rules.h"
#include "trainer/number.h"
#include "trainer/run_identity.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

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

CellNotes evaluate(SweepPoint& point, DataSetHeaders& data, ExpressionCache& expressions) {
  const auto n_vocab = [&] {
    const auto written = point.config.find("data.train");
    const std::string name =
        written == point.config.end() ? DataConfig{}.train : written->second.text;
    try {
      return data.open(name).n_vocab;
    } catch (const ConfigError& error) {
      throw KeyError("data.train", name, error.what());
    }
  };
  return evaluate_expressions(point.config, n_vocab, expressions);
}

PlannedCell plan_cell(const SweepPoint& point, const PlanOptions& options, DataSetHeaders& data) {
  RunIdentity identity = identify(resolve(point.config), options.runs, data);
  PlannedCell cell;
  cell.config = std::move(identity.config);
  cell.content_hash = std::move(identity.content_hash);
  cell.folder = identity.folder.path.filename().string();
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

template <typename Item>
void add_new(std::vector<Item>& items, const Item& item) {
  if (std::ranges::find(items, item) == items.end()) items.push_back(item);
}

// Without those that are evaluated away, as a ladder's.
std::vector<std::string> swept_keys(const SweepSpec& spec) {
  std::vector<std::string> keys;
  const auto add = [&](const std::string& key) {
    const bool is_of_runs = !key.starts_with("ladder.") &&
                            std::ranges::find(horizon_forms(), key) == horizon_forms().end();
    if (is_of_runs) add_new(keys, key);
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
  Plan plan{spec.name,        spec.file, spec.content_hash, options, {}, 0,
            swept_keys(spec), {},        spec.budget};
  UnreadSettings unread;
  FlatConfig top = spec.base;
  override_keys(spec.settings, top);
  OverriddenSettings overridden(top, plan.swept);
  ExpressionCache expressions;
  DataSetHeaders data(options.data);
  std::unordered_map<std::string, std::size_t> index_of;  // content hash -> cell
  for (SweepPoint& point : expand(spec)) {
    ++plan.asked_for;
    at_its_place(point, [&] {
      overridden.note(point.config);
      const CellNotes notes = evaluate(point, data, expressions);
      PlannedCell cell = plan_cell(point, options, data);
      unread.note(point.config, cell.config);
      const auto [place, is_first] = index_of.emplace(cell.content_hash, plan.cells.size());
      if (is_first) {
        complete_cell(options, data, cell);
        cell.budget = notes.budget;
        plan.cells.push_back(std::move(cell));
      }
      PlannedCell& planned = plan.cells[place->second];
      add_new(planned.places, point.place);
      if (notes.size) add_new(planned.sizes, *notes.size);
      for (const NamedLaw* law : notes.laws) add_new(planned.laws, law);
    });
  }
  plan.warnings = warnings_of(plan);
  for (std::string& text : unread.warnings()) plan.warnings.push_back(std::move(text));
  for (std::string& text : overridden.warnings()) plan.warnings.push_back(std::move(text));
  const auto resolved = [&](SweepPoint point) {
    evaluate(point, data, expressions);
    return resolve(point.config);
  };
  for (std::string& text : setting_warnings(spec, resolved)) {
    plan.warnings.push_back(std::move(text));
  }
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
