#include "sweeps/plan/plan_totals.h"

#include <algorithm>
#include <map>

#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/optional_json.h"
#include "sweeps/plan/reports.h"
#include "sweeps/plan/wall_hours.h"
#include "sweeps/status/text_table.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kSecondsAnHour = 3600;

}  // namespace

PlanTotals plan_totals(const Plan& plan, const std::vector<CellStatus>& statuses,
                       bool only_missing) {
  PlanTotals totals;
  const Workers& workers = plan.options.workers;
  const bool on_gpu = workers.device == DeviceKind::kGpu;
  WallHours by_the_clock(plan.options);
  std::map<int64_t, int64_t> cells_in_packs_of;  // by runs in a pack
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (only_missing && !is_to_come(statuses[i])) continue;
    const PlannedCell& cell = plan.cells[i];
    ++totals.cells;
    ++cells_in_packs_of[cell.runs_in_its_pack];
    totals.tokens += static_cast<double>(cell.train_tokens);
    totals.flops += cell.train_flops.value_or(0);
    totals.core_hours += cell.core_hours.value_or(0);
    totals.gpu_hours += cell.gpu_hours.value_or(0);
    const double hours = (on_gpu ? cell.gpu_hours : cell.core_hours).value_or(0);
    by_the_clock.add(cell.stage(), hours, process_hours(cell), cell.runs_in_its_pack);
  }
  // A process is on one core: more cores than processes do not help.
  int64_t processes = 0;
  for (const auto& [runs, cells] : cells_in_packs_of) processes += (cells + runs - 1) / runs;
  totals.devices =
      on_gpu ? std::ssize(workers.gpus) : std::clamp<int64_t>(processes, 1, workers.jobs);
  totals.wall_hours = by_the_clock.hours();
  if (plan.options.price_per_hour) totals.price = totals.wall_hours * *plan.options.price_per_hour;
  return totals;
}

std::string totals_text(const PlanTotals& totals, const Plan& plan) {
  const PlanOptions& options = plan.options;
  const bool on_gpu = options.workers.device == DeviceKind::kGpu;
  const double hours = on_gpu ? totals.gpu_hours : totals.core_hours;
  const std::string device = on_gpu ? "GPU" : "core";
  std::string text = counted(totals.cells, "cell") + ", " + human(totals.tokens) + " tokens, " +
                     human(totals.flops) + " FLOPs (" + std::string(name(options.c_count)) + "), " +
                     duration_text(hours * kSecondsAnHour) + " of one " + device + ", about " +
                     duration_text(totals.wall_hours * kSecondsAnHour) + " on " +
                     counted(totals.devices, device);
  if (totals.price) {
    text += ", " + human(*totals.price) + " for this machine at " + human(*options.price_per_hour) +
            " an hour";
  }
  return text;
}

nlohmann::ordered_json totals_json(const PlanTotals& totals) {
  return {{"cells", totals.cells},           {"train_tokens", totals.tokens},
          {"train_flops", totals.flops},     {"core_hours", totals.core_hours},
          {"gpu_hours", totals.gpu_hours},   {"devices", totals.devices},
          {"wall_hours", totals.wall_hours}, {"price", optional_json(totals.price)}};
}

}  // namespace scalelaw
