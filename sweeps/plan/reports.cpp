#include "sweeps/plan/reports.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "sweeps/device/packing.h"
#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/disk_needs.h"
#include "sweeps/plan/plan_columns.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/plan_totals.h"
#include "sweeps/plan/rate_edges.h"
#include "sweeps/plan/spending.h"
#include "sweeps/status/failed_runs.h"
#include "sweeps/status/ledger_report.h"
#include "sweeps/status/predicted_actual.h"
#include "sweeps/status/text_table.h"
#include "sweeps/status/work_left.h"
#include "sweeps/tuning/tune_report.h"
#include "trainer/bytes_text.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostNamed = 5;
constexpr int kTableColumns = 120;

std::string hours_text(const std::optional<double>& hours) {
  return hours ? duration_text(*hours * 3600) : "-";
}

std::string memory_text(const PlannedCell& cell) {
  return (cell.memory_bytes ? bytes_text(*cell.memory_bytes) : "-") + (cell.fits ? "" : "!");
}

// "transformer 2 x 64": layers and width tell the cells of most sweeps apart.
std::string shape_text(const ModelShape& shape) {
  return shape.arch + " " + std::to_string(shape.n_layer) + " x " + std::to_string(shape.d_model);
}

std::string seeds_text(const SeedConfig& seeds) {
  return std::to_string(seeds.init) + "/" + std::to_string(seeds.data);
}

std::string places_text(const PlannedCell& cell, std::string SweepPlace::*part) {
  std::string text;
  std::string last;
  for (const SweepPlace& place : cell.places) {
    if (place.*part == last) continue;
    last = place.*part;
    text += (text.empty() ? "" : "+") + last;
  }
  return text.empty() ? "-" : text;
}

std::map<std::string, std::string> values_of(const PlannedCell& cell) {
  const auto values = canonical_values(cell.config);
  return {values.begin(), values.end()};
}

// Keys that the sweep turns and that shape, rate, seeds and D do not show.
std::vector<std::string> swept_without_a_column(const Plan& plan) {
  static const std::set<std::string> kShown = {
      "model.arch", "model.n_layer", "model.d_model", "train.learning_rate",
      "seeds.init", "seeds.data",    "horizon.tokens"};
  std::vector<std::string> keys;
  for (const std::string& key : plan.swept) {
    if (!kShown.contains(key)) keys.push_back(key);
  }
  return keys;
}

// Cells of the `states`, or all, grouped by state, as the file has them within one.
std::vector<std::size_t> attention_last(const std::vector<CellStatus>& statuses,
                                        const std::set<CellState>& states) {
  constexpr CellState kOrder[] = {
      CellState::kExcluded,    CellState::kComplete, CellState::kWaiting,  CellState::kMissing,
      CellState::kInterrupted, CellState::kRunning,  CellState::kDiverged, CellState::kFailed};
  static_assert(std::size(kOrder) == std::size(kCellStates));
  std::vector<std::size_t> cells;
  for (const CellState state : kOrder) {
    if (!states.empty() && !states.contains(state)) continue;
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      if (statuses[i].state == state) cells.push_back(i);
    }
  }
  return cells;
}

// A pack's output lies under the name of its first run.
std::string log_text(const PlannedCell& cell, const CellStatus& status) {
  if (status.log.empty() || status.log == cell.folder + ".log") return "";
  return " (its output: logs/" + status.log + ")";
}

}  // namespace

std::string counted(int64_t count, const std::string& thing) {
  return std::to_string(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string needs_hand_text(const Plan& plan, const std::vector<CellStatus>& statuses) {
  std::string text;
  std::size_t cells = 0;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (!statuses[i].needs_hand || ++cells > kMostNamed) continue;
    text += "  " + plan.cells[i].folder + ": " + escaped(statuses[i].why) + "\n";
  }
  if (cells == 0) return "";
  if (cells > kMostNamed) {
    text += "  and " + std::to_string(cells - kMostNamed) + " more, which status names\n";
  }
  return counted(static_cast<int64_t>(cells), "run") + (cells == 1 ? " needs" : " need") +
         " a hand, or the same happens again:\n" + text;
}

std::string excluded_text(const Plan& plan, const std::vector<CellStatus>& statuses) {
  std::string text;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (statuses[i].state != CellState::kExcluded) continue;
    text += "excluded: " + plan.cells[i].folder + ": " + escaped(statuses[i].why) + "\n";
  }
  return text;
}

std::string few_measured_warning(const Plan& plan, const std::vector<CellStatus>& statuses) {
  if (!are_limited_by_what_was_measured(plan, statuses)) return "";
  const int64_t most = plan.options.throughput->most_replicas();
  return "no more than " + counted(most, "run") +
         " side by side were measured on this device; more in a pack may be faster: "
         "--calibrate --replicas " +
         std::to_string(2 * most) + " on it measures them";
}

std::string plan_text(const Plan& plan, const std::vector<CellStatus>& statuses) {
  const std::vector<std::string> swept = swept_without_a_column(plan);
  const bool on_gpu = plan.options.workers.device == DeviceKind::kGpu;
  const std::string device = on_gpu ? "one GPU" : "one core";
  std::vector<std::vector<std::string>> rows = {{"arm", "block", "shape", "rate", "seeds"}};
  std::vector<bool> right = {false, false, false, true, false};
  for (const std::string& key : swept) {
    rows[0].push_back(key);
    right.push_back(true);
  }
  const std::vector<PlanColumn> columns = worked_out_columns(plan);
  std::vector<std::size_t> may_be_left_out;
  for (const PlanColumn& column : columns) {
    if (column.may_be_left_out) may_be_left_out.insert(may_be_left_out.begin(), right.size());
    rows[0].push_back(column.heading);
    right.push_back(true);
  }
  rows[0].insert(rows[0].end(), {"N", "D", "steps", "C", device, "memory", "state"});
  right.insert(right.end(), {true, true, true, true, true, true, false});
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    std::vector<std::string> row = {
        places_text(cell, &SweepPlace::arm), places_text(cell, &SweepPlace::block),
        shape_text(cell.shape),
        human(cell.config.train.learning_rate) + (cell.is_provisional() ? "?" : ""),
        seeds_text(cell.config.seeds)};
    const std::map<std::string, std::string> values = values_of(cell);
    for (const std::string& key : swept) {
      const auto value = values.find(key);
      row.push_back(value == values.end() ? "-" : value->second);
    }
    for (const PlanColumn& column : columns) row.push_back(column.text(cell));
    row.insert(row.end(),
               {optional_text(cell.n_params), human(static_cast<double>(cell.train_tokens)),
                std::to_string(cell.steps), optional_text(cell.train_flops),
                hours_text(on_gpu ? cell.gpu_hours : cell.core_hours), memory_text(cell),
                std::string(name(statuses[i].state))});
    rows.push_back(std::move(row));
  }
  std::string text;
  const std::vector<std::string> table =
      aligned_within(kTableColumns, std::move(rows), right, may_be_left_out);
  for (const std::string& line : table) text += line + "\n";
  const PlanOptions& options = plan.options;
  text +=
      "\nshape: layers x d_model; rate: of learning, peak (? not known yet); seeds: init/data;\nN: "
      "parameters, " +
      std::string(name(options.n_count)) + "; D: training tokens; C: training FLOPs, " +
      std::string(name(options.c_count)) + ";\n" + device + ": " + hours_source(plan) +
      ", evaluations and noise scales included; memory: peak of a process, estimated\n";
  for (const PlanColumn& column : columns) {
    const bool is_shown = table.front().find(" " + column.heading) != std::string::npos;
    text += column.heading + ": " + column.meaning +
            (is_shown ? "\n" : "; left out for want of room, --json has it\n");
  }
  text += "\n";
  text += "all:     " + totals_text(plan_totals(plan, statuses, false), plan) + "\n";
  text += "to run:  " + totals_text(plan_totals(plan, statuses, true), plan) + "\n";
  if (const auto packs = packs_to_run(plan, statuses); !packs.empty()) {
    text += "packs:   " + packs_text(packs) + "; " + describe(plan.options.workers) + "\n";
    if (const std::string few = few_measured_warning(plan, statuses); !few.empty()) {
      text += "warning: " + few + "\n";
    }
  }
  if (!options.profile.empty()) {
    text += "profile: " + escaped(options.profile) + "; runs in " + escaped(options.runs.string()) +
            "\n";
  }
  const int64_t asked = std::ranges::count(plan.cells, false, &PlannedCell::is_trial);
  if (const int64_t merged = plan.asked_for - asked; merged > 0) {
    text +=
        "merged:  " + counted(merged, "cell") +
        (merged == 1 ? " equals another and is paid once\n" : " equal another and are paid once\n");
  }
  const DiskNeeds disk = disk_needs(plan, statuses);
  const std::optional<DiskSpace> space = space_left(options.runs);
  text += "disk:    " + describe(disk, space) + "\n";
  if (const std::string budget = Spending(plan, statuses).text(); !budget.empty()) {
    text += "budget:  " + budget + "\n";
  }
  text += stages_text(plan) + tuned_text(plan) + centres_text(plan.centres);
  text += "states:  " + states_text(count_states(statuses)) + "\n";
  if (const std::string changed = diff_line(plan, diff_of(plan)); !changed.empty()) {
    text += changed + " (--diff names them)\n";
  }
  text += excluded_text(plan, statuses);
  if (const std::string full = disk_warning(disk, space); !full.empty()) {
    text += "warning: " + full + "\n";
  }
  for (const std::string& warning : plan.warnings) text += "warning: " + escaped(warning) + "\n";
  for (const std::string& warning : rate_edge_warnings(plan, statuses)) {
    text += "warning: " + warning + "\n";
  }
  return text;
}

std::string status_text(const Plan& plan, const std::vector<CellStatus>& statuses,
                        const std::set<CellState>& states) {
  std::vector<std::vector<std::string>> rows = {
      {"state", "arm", "block", "run", "step", "of", "loss", "why"}};
  for (const std::size_t i : attention_last(statuses, states)) {
    const PlannedCell& cell = plan.cells[i];
    const CellStatus& status = statuses[i];
    rows.push_back({std::string(name(status.state)), places_text(cell, &SweepPlace::arm),
                    places_text(cell, &SweepPlace::block), cell.folder, std::to_string(status.step),
                    std::to_string(cell.steps), loss_text(status.loss_nats),
                    escaped(status.why + log_text(cell, status))});
  }
  std::string text;
  for (const std::string& line :
       aligned(rows, {false, false, false, false, true, true, true, false})) {
    text += line + "\n";
  }
  text +=
      "loss: nats a token; on the training set's own test split where complete, else of "
      "training\n";
  const std::vector<std::string> failed = failed_lines(plan, statuses);
  if (!failed.empty()) text += "\n";
  for (const std::string& line : failed) text += line + "\n";
  for (const std::string& fault : {plan.held_out_fault, plan.held_out_doubt}) {
    if (!fault.empty()) text += "\nwarning: " + escaped(fault) + "\n";
  }
  return text + "\n" + plan.name + ": " + states_text(count_states(statuses)) + "\n" +
         ledger_text(sum_of_ledgers(statuses)) +
         predicted_text(predicted_and_actual(plan, statuses), plan) + tuned_text(plan) +
         work_text(plan, present_work(plan, statuses));
}

}  // namespace scalelaw
