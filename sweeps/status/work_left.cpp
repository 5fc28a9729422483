#include "sweeps/status/work_left.h"

#include <algorithm>

#include "sweeps/plan/cell_hours.h"
#include "sweeps/plan/wall_hours.h"
#include "sweeps/status/text_table.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

double cost_of_steps(const PlannedCell& cell, int64_t steps) {
  const double share =
      static_cast<double>(steps) / static_cast<double>(std::max<int64_t>(1, cell.steps));
  return cost(cell) * std::clamp(share, 0.0, 1.0);
}

bool needs_work(CellState state) {
  return !ended(state) && state != CellState::kFailed;
}

}  // namespace

void WorkLeft::ended(const CellInProgress& cell, int64_t step) {
  done_by_ended_ += cost_of_steps(plan_.cells[cell.cell], step - cell.first_step);
}

std::optional<double> WorkLeft::seconds(const std::vector<CellStatus>& statuses,
                                        const std::vector<CellInProgress>& running,
                                        double elapsed_seconds) const {
  double done = done_by_ended_, left = 0;
  for (std::size_t i = 0; i < plan_.cells.size(); ++i) {
    const PlannedCell& cell = plan_.cells[i];
    if (needs_work(statuses[i].state)) left += cost_of_steps(cell, cell.steps - statuses[i].step);
  }
  for (const CellInProgress& each : running) {
    done += cost_of_steps(plan_.cells[each.cell], statuses[each.cell].step - each.first_step);
  }
  if (done <= 0 || elapsed_seconds < 1) return std::nullopt;
  return left / done * elapsed_seconds;
}

PresentWork present_work(const Plan& plan, const std::vector<CellStatus>& statuses) {
  PresentWork work;
  double tokens_a_second = 0, flops_a_second = 0, cost_a_second = 0, cost_left = 0;
  double flops_left = 0, longest = 0;
  int64_t told = 0;
  bool flops_known = true;
  WallHours hours_left(plan.options);
  bool hours_known = plan.options.workers.device == DeviceKind::kCpu;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    const CellStatus& status = statuses[i];
    if (!needs_work(status.state)) continue;
    const auto steps_left =
        static_cast<double>(std::clamp<int64_t>(cell.steps - status.step, 0, cell.steps));
    const double share = steps_left / static_cast<double>(std::max<int64_t>(1, cell.steps));
    const double tokens = share * static_cast<double>(cell.train_tokens);
    cost_left += share * cost(cell);
    work.tokens_left += tokens;
    flops_left += share * cell.train_flops.value_or(0);
    flops_known = flops_known && cell.train_flops.has_value();
    hours_known = hours_known && cell.core_hours.has_value();
    const double hours = share * cell.core_hours.value_or(0);
    hours_left.add(cell.stage(), hours, share * process_hours(cell), cell.runs_in_its_pack);
    if (status.state != CellState::kRunning) continue;
    ++work.running;
    const double rate = status.tokens_per_second.value_or(0);
    if (rate <= 0) continue;
    ++told;
    const double per_token = 1 / static_cast<double>(std::max<int64_t>(1, cell.train_tokens));
    tokens_a_second += rate;
    cost_a_second += rate * per_token * cost(cell);
    flops_a_second += rate * per_token * cell.train_flops.value_or(0);
    longest = std::max(longest, tokens / rate);
  }
  if (flops_known) work.flops_left = flops_left;
  if (told == 0) {
    if (hours_known && work.tokens_left > 0) work.planned_seconds_left = 3600 * hours_left.hours();
    return work;
  }
  work.tokens_per_second = tokens_a_second;
  if (flops_known) work.flops_per_second = flops_a_second;
  const double of_all =
      cost_a_second * static_cast<double>(work.running) / static_cast<double>(told);
  if (of_all > 0) work.seconds_left = std::max(longest, cost_left / of_all);
  return work;
}

std::string work_text(const Plan& plan, const PresentWork& work) {
  if (work.running == 0 && work.tokens_left <= 0) return "";
  std::string text = "now: nothing runs";
  if (work.running > 0) {
    text = "now: " + optional_text(work.tokens_per_second) + " tokens/s, " +
           optional_text(work.flops_per_second) + " FLOP/s";
  }
  text += "; time left: ";
  const std::optional<double>& planned = work.planned_seconds_left;
  text += work.seconds_left ? "about " + duration_text(*work.seconds_left)
          : planned         ? "about " + duration_text(*planned) + " by the plan" +
                          (work.running > 0 ? "" : ", when it runs")
                    : "-";
  if (!work.flops_left) return text + ", for " + human(work.tokens_left) + " tokens\n";
  return text + ", for " + human(*work.flops_left) + " FLOPs (" +
         std::string(name(plan.options.c_count)) + ")\n";
}

}  // namespace scalelaw
