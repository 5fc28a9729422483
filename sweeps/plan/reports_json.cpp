// The reports for scripts.
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sweeps/device/packing.h"
#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/disk_needs.h"
#include "sweeps/plan/optional_json.h"
#include "sweeps/plan/plan_columns.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/plan_totals.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/failed_runs.h"
#include "sweeps/status/ledger_report.h"
#include "sweeps/status/predicted_actual.h"
#include "sweeps/status/work_left.h"
#include "sweeps/tuning/tune_report.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

// What each of the plan's swept keys is in a cell.
Json swept_json(const Plan& plan, const PlannedCell& cell) {
  const auto listed = canonical_values(cell.config);
  const std::map<std::string, std::string> values(listed.begin(), listed.end());
  Json swept = Json::object();
  for (const std::string& key : plan.swept) {
    if (const auto value = values.find(key); value != values.end()) swept[key] = value->second;
  }
  return swept;
}

Json cell_json(const PlannedCell& cell, const CellStatus& status) {
  Json places = Json::array();
  for (const SweepPlace& place : cell.places) {
    places.push_back({{"arm", place.arm}, {"block", place.block}});
  }
  return {{"content_hash", cell.content_hash},
          {"folder", cell.folder},
          {"places", places},
          {"trial", cell.is_trial},
          {"prediction", cell.prediction},
          {"waits_for", cell.waits_for},
          {"provisional", cell.is_provisional()},
          {"learning_rate", cell.config.train.learning_rate},
          {"state", name(status.state)},
          {"steps", cell.steps},
          {"train_tokens", cell.train_tokens}};
}

// Free space and files are null where they cannot be asked for.
Json disk_json(const Plan& plan, const std::vector<CellStatus>& statuses) {
  const DiskNeeds needs = disk_needs(plan, statuses);
  const std::optional<DiskSpace> space = space_left(plan.options.runs);
  return {{"bytes_at_peak", needs.bytes_at_peak},
          {"bytes_to_stay", needs.bytes_to_stay},
          {"files_at_peak", needs.files_at_peak},
          {"free_bytes", space ? Json(space->bytes) : Json()},
          {"free_files", space ? optional_json(space->files) : Json()}};
}

Json centres_json(const std::vector<FittedCentre>& centres) {
  Json all = Json::array();
  for (const FittedCentre& centre : centres) {
    Json json = {{"block", centre.block},   {"fit", centre.file},
                 {"budget", centre.budget}, {"n", centre.n},
                 {"level", Json()},         {"low", Json()},
                 {"high", Json()},          {"sizes", {centre.sizes.low, centre.sizes.high}}};
    if (centre.interval) {
      json["level"] = centre.level;
      json["low"] = centre.interval->low;
      json["high"] = centre.interval->high;
    }
    all.push_back(std::move(json));
  }
  return all;
}

Json work_json(const PresentWork& work) {
  return {{"running", work.running},
          {"tokens_per_second", optional_json(work.tokens_per_second)},
          {"flops_per_second", optional_json(work.flops_per_second)},
          {"tokens_left", work.tokens_left},
          {"flops_left", optional_json(work.flops_left)},
          {"seconds_left", optional_json(work.seconds_left)},
          {"planned_seconds_left", optional_json(work.planned_seconds_left)}};
}

// Of ladders: N by the ladder's count, and by how much the model misses it.
Json asked_sizes_json(const PlannedCell& cell) {
  Json sizes = Json::array();
  for (const CellSize& size : cell.sizes) {
    sizes.push_back({{"asked", size.asked},
                     {"n_params", size.n},
                     {"n_count", name(size.count)},
                     {"miss_percent", 100 * (size.n / size.asked - 1)}});
  }
  return sizes;
}

std::string dumped(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string plan_json(const Plan& plan, const std::vector<CellStatus>& statuses) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    Json json = cell_json(cell, statuses[i]);
    json["arch"] = cell.shape.arch;
    json["n_layer"] = cell.shape.n_layer;
    json["d_model"] = cell.shape.d_model;
    json["n_head"] = n_head(cell) ? Json(*n_head(cell)) : Json();
    json["d_head"] = n_head(cell) ? Json(cell.shape.d_head()) : Json();
    json["d_ff"] = d_ff(cell) ? Json(*d_ff(cell)) : Json();
    json["batch_tokens"] = cell.config.train.batch_tokens;
    json["asked_sizes"] = asked_sizes_json(cell);
    json["unique_train_tokens"] = cell.unique_train_tokens;
    json["n_params"] = optional_json(cell.n_params);
    json["train_flops"] = optional_json(cell.train_flops);
    json["core_hours"] = optional_json(cell.core_hours);
    json["evaluate_core_hours"] = optional_json(cell.evaluate_core_hours);
    json["gpu_hours"] = optional_json(cell.gpu_hours);
    json["memory_bytes"] = optional_json(cell.memory_bytes);
    json["fits"] = cell.fits;
    json["swept"] = swept_json(plan, cell);
    json["why"] = statuses[i].why;
    json["pack"] = Json();
    cells.push_back(std::move(json));
  }
  const std::vector<PlannedPack> packs = packs_to_run(plan, statuses);
  for (std::size_t i = 0; i < packs.size(); ++i) {
    for (const std::size_t cell : packs[i]) cells[cell]["pack"] = i;
  }
  const PlanDiff diff = diff_of(plan);
  Json added = Json::array(), gone = Json::array(), open = Json::array();
  for (const std::size_t cell : diff.added) added.push_back(plan.cells[cell].folder);
  for (const SweepCell& cell : diff.gone) gone.push_back(cell.folder);
  for (const SweepCell& cell : diff.open) open.push_back(cell.folder);
  const Json changes = {{"stay", staying_cells(plan, diff)}, {"new", added},
                        {"waiting", diff.waiting},           {"waiting_flops", waiting_flops(plan)},
                        {"perhaps_among_waiting", open},     {"no_longer_asked_for", gone}};
  const Workers& workers = plan.options.workers;
  const std::optional<Throughput>& device = plan.options.throughput;
  const bool is_measured = device && has_measured_hours(plan);
  std::vector<std::string> warnings = plan.warnings;
  if (std::string few = few_measured_warning(plan, statuses); !few.empty()) {
    warnings.push_back(std::move(few));
  }
  const Json measured = is_measured ? Json(device->source()) : Json();
  return dumped({{"name", plan.name},
                 {"spec_file", plan.spec_file},
                 {"spec_hash", plan.spec_hash},
                 {"n_count", name(plan.options.n_count)},
                 {"c_count", name(plan.options.c_count)},
                 {"flops_per_second", plan.options.flops_per_second},
                 {"runs", plan.options.runs.string()},
                 {"profile", plan.options.profile.empty() ? Json() : Json(plan.options.profile)},
                 {"device", workers.device == DeviceKind::kCpu ? "cpu" : "cuda"},
                 {"gpus", workers.device == DeviceKind::kCpu ? 0 : workers.gpus.size()},
                 {"jobs", workers.jobs},
                 {"replicas", workers.replicas},
                 {"hours_source", measured},
                 {"price_per_hour", optional_json(plan.options.price_per_hour)},
                 {"totals",
                  {{"all", totals_json(plan_totals(plan, statuses, false))},
                   {"to_run", totals_json(plan_totals(plan, statuses, true))}}},
                 {"asked_for", plan.asked_for},
                 {"tuned", tuned_json(plan.tuned)},
                 {"fitted_centres", centres_json(plan.centres)},
                 {"disk", disk_json(plan, statuses)},
                 {"since_last_run", diff.has_record ? changes : Json()},
                 {"warnings", warnings},
                 {"cells", cells}});
}

std::string status_json(const Plan& plan, const std::vector<CellStatus>& statuses,
                        const std::set<CellState>& only) {
  Json cells = Json::array();
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const CellStatus& status = statuses[i];
    if (!only.empty() && !only.contains(status.state)) continue;
    Json json = cell_json(plan.cells[i], status);
    json["ledger"] = ledger_json(status.ledger);
    json["step"] = status.step;
    json["loss_nats"] = optional_json(status.loss_nats);
    json["tokens_per_second"] = optional_json(status.tokens_per_second);
    json["wall_seconds"] = status.wall_seconds;
    json["why"] = status.why;
    json["log"] = status.log;
    json["log_lines"] = last_log_lines(plan, plan.cells[i], status);
    cells.push_back(std::move(json));
  }
  Json states;
  for (const auto& [state, count] : count_states(statuses))
    states[std::string(name(state))] = count;
  return dumped({{"name", plan.name},
                 {"states", states},
                 {"ledger", ledger_json(sum_of_ledgers(statuses))},
                 {"predicted", predicted_json(predicted_and_actual(plan, statuses), plan)},
                 {"work", work_json(present_work(plan, statuses))},
                 {"cells", cells}});
}

}  // namespace scalelaw
