#include "sweeps/plan_diff.h"

#include <filesystem>
#include <set>
#include <stdexcept>

#include "sweeps/reports.h"
#include "sweeps/stages.h"
#include "sweeps/text_table.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

fs::path record_of_plan(const Plan& plan) {
  return sweep_record_file(plan.options.runs, plan.name);
}

std::string cost_text(const PlannedCell& cell) {
  std::string text;
  if (cell.train_flops) text += human(*cell.train_flops) + " FLOPs";
  if (const auto hours = cell.core_hours ? cell.core_hours : cell.gpu_hours) {
    text += (text.empty() ? "" : ", ") + duration_text(3600 * *hours) + " of one " +
            (cell.core_hours ? "core" : "GPU");
  }
  return text.empty() ? "cost not known" : text;
}

std::string state_text(const Plan& plan, const SweepCell& cell) {
  const fs::path folder = plan.options.runs / cell.folder;
  std::error_code error;
  if (fs::exists(folder / "run.json", error)) return "complete";
  return fs::exists(folder, error) ? "begun" : "never begun";
}

}  // namespace

PlanDiff diff_of(const Plan& plan) {
  PlanDiff diff;
  std::error_code error;
  if (!fs::exists(record_of_plan(plan), error)) return diff;
  SweepRecord record;
  try {
    record = read_sweep_record(record_of_plan(plan));
  } catch (const std::runtime_error& fault) {
    throw ConfigError(fault.what());
  }
  diff.has_record = true;
  diff.is_same_file = record.spec_hash == plan.spec_hash;
  std::set<std::string> before, now;
  for (const SweepCell& cell : record.cells) before.insert(cell.content_hash);
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (plan.cells[i].is_provisional()) continue;
    now.insert(plan.cells[i].content_hash);
    if (!before.contains(plan.cells[i].content_hash)) diff.added.push_back(i);
  }
  for (const SweepCell& cell : record.cells) {
    if (!now.contains(cell.content_hash)) diff.gone.push_back(cell);
  }
  return diff;
}

std::string diff_line(const Plan& plan, const PlanDiff& diff) {
  if (!diff.changes() || diff.is_next_stage()) return "";
  double flops = 0;
  for (const std::size_t cell : diff.added) flops += plan.cells[cell].train_flops.value_or(0);
  const auto phrase = [](std::size_t cells, const char* one, const char* several) {
    return std::to_string(cells) + (cells == 1 ? one : several);
  };
  std::string text =
      "changed: since its last run " +
      phrase(
          plan.cells.size() - diff.added.size() - static_cast<std::size_t>(provisional_cells(plan)),
          " cell stays, ", " cells stay, ") +
      phrase(diff.added.size(), " is new (", " are new (") + human(flops) + " FLOPs), " +
      phrase(diff.gone.size(), " is no longer asked for", " are no longer asked for");
  if (!diff.gone.empty()) text += " (what was run stays in the store)";
  return text;
}

std::string diff_text(const Plan& plan, const PlanDiff& diff) {
  if (!diff.has_record) {
    return "nothing to compare with: " + record_of_plan(plan).string() +
           " is written by the first run\n";
  }
  if (!diff.changes()) {
    return "unchanged: " + record_of_plan(plan).string() + " holds the same " +
           counted(static_cast<int64_t>(plan.cells.size()) - provisional_cells(plan), "cell") +
           "\n";
  }
  std::string text = diff.is_next_stage()
                         ? "the file is the same; " +
                               counted(static_cast<int64_t>(diff.added.size()), "cell") +
                               " waited for what is known now\n"
                         : diff_line(plan, diff) + "\n";
  for (const std::size_t cell : diff.added) {
    text += "  + " + plan.cells[cell].folder + "  " + cost_text(plan.cells[cell]) + "\n";
  }
  for (const SweepCell& cell : diff.gone) {
    text += "  - " + cell.folder + "  " + state_text(plan, cell) + "\n";
  }
  return text;
}

}  // namespace scalelaw
