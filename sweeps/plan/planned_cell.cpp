#include "sweeps/plan/planned_cell.h"

#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "sweeps/plan/cell_hours.h"
#include "trainer/data_rules.h"
#include "trainer/step_choice.h"

namespace scalelaw {

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

}  // namespace

CellNotes evaluate_point(SweepPoint& point, DataSetHeaders& data, ExpressionCache& expressions) {
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
  cell.recipe_hash = std::move(identity.recipe_hash);
  cell.folder = identity.folder.path.filename().string();
  return cell;
}

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

}  // namespace scalelaw
