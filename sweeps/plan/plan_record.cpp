// A plan beside the record that a run of it leaves.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include "sweeps/plan/plan.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

// From wherever it is read.
std::string whole_path(const std::string& file) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::weakly_canonical(file, error);
  return error ? file : whole.string();
}

HeldOut held_out(const PlannedCell& cell) {
  const ModelCounts counts = count(cell.shape).value();
  const auto n = [&](NCount convention) {
    return static_cast<int64_t>(n_params(cell.shape, counts, convention));
  };
  return {.prediction = cell.prediction,
          .n_non_embedding = n(NCount::kNonEmbedding),
          .n_non_embedding_plus_head = n(NCount::kNonEmbeddingPlusHead),
          .n_total = n(NCount::kTotal),
          .train_tokens = cell.train_tokens,
          .arch = cell.shape.arch,
          .test_set = cell.predicted_test_set,
          .recipe_hash = cell.recipe_hash};
}

bool is_of_recipe(const std::string& key) {
  static const std::set<std::string> kOfSizeAndRate = {
      "train.learning_rate", "model.n_layer", "model.d_model", "model.d_ff_ratio", "model.n_head"};
  return (key.starts_with("train.") || key.starts_with("model.") || key == "data.train") &&
         !kOfSizeAndRate.contains(key);
}

// Of each cell, in their order. Keys that one architecture alone has are lacking in others.
std::vector<std::map<std::string, std::string>> recipes_of(const Plan& plan) {
  std::vector<std::map<std::string, std::string>> recipes(plan.cells.size());
  const auto is_held_out = [](const PlannedCell& cell) { return !cell.prediction.empty(); };
  if (std::ranges::none_of(plan.cells, is_held_out)) return recipes;
  std::map<std::string, std::set<std::string>> values;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    for (const auto& [key, value] : canonical_values(plan.cells[i].config)) {
      if (!is_of_recipe(key)) continue;
      values[key].insert(value);
      recipes[i].emplace(key, value);
    }
  }
  for (auto& recipe : recipes) {
    std::erase_if(recipe, [&](const auto& each) { return values.at(each.first).size() == 1; });
  }
  return recipes;
}

}  // namespace

SweepRecord record_of(const Plan& plan, const std::vector<SweepCell>& open) {
  SweepRecord record;
  record.name = plan.name;
  record.spec_file = whole_path(plan.spec_file);
  record.spec_hash = plan.spec_hash;
  record.file_hash = plan.file_hash;
  const std::vector<std::map<std::string, std::string>> recipes = recipes_of(plan);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    record.waiting += cell.is_provisional() ? 1 : 0;
    if (cell.is_provisional()) continue;
    SweepCell recorded{cell.content_hash, cell.folder, cell.places, cell.is_trial};
    recorded.keep = cell.config.how.keep;
    recorded.recipe = recipes[i];
    if (!cell.prediction.empty()) recorded.hold_out = held_out(cell);
    record.cells.push_back(std::move(recorded));
  }
  record.cells.insert(record.cells.end(), open.begin(), open.end());
  record.open = std::ranges::count(open, false, &SweepCell::is_trial);
  return record;
}

std::string fault_of_name(const Plan& plan) {
  const std::filesystem::path file = sweep_record_file(plan.options.runs, plan.name);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return "";
  SweepRecord record;
  try {
    record = read_sweep_record(file);
  } catch (const std::runtime_error& fault) {
    return fault.what();
  }
  if (record.spec_hash == plan.spec_hash) return "";
  if (whole_path(record.spec_file) == whole_path(plan.spec_file)) return "";
  return plan.spec_file + ": name = " + plan.name + ": is the sweep of " + record.spec_file +
         " in this store (" + file.string() +
         "); choose another name, or, if it is the same sweep and its file was moved and edited, "
         "move that record away (no run is lost)";
}

void refuse_name_of_another_sweep(const Plan& plan) {
  if (const std::string fault = fault_of_name(plan); !fault.empty()) throw ConfigError(fault);
}

std::filesystem::path run_folder(const Plan& plan, const PlannedCell& cell) {
  return plan.options.runs / cell.folder;
}

}  // namespace scalelaw
