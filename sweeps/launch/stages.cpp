#include "sweeps/launch/stages.h"

#include <algorithm>
#include <utility>

#include "sweeps/launch/register_predictions.h"
#include "sweeps/plan/plan_diff.h"
#include "sweeps/plan/reports.h"
#include "sweeps/tuning/what_is_known.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/program_exit.h"

namespace scalelaw {
namespace {

bool was_ended_early(const RunSweepResult& result) {
  return result.interrupted || !result.paused_because.empty() ||
         !result.over_budget_because.empty() || !result.stopped_because.empty();
}

// What is not ended waits.
bool all_else_has_ended(const Plan& plan, const RunSweepResult& result) {
  int64_t whole = result.states.at(CellState::kWaiting);
  for (const auto& [state, cells] : result.states) whole += ended(state) ? cells : 0;
  return whole == std::ssize(plan.cells);
}

// Nothing was registered, and held-out cells wait for it.
RunSweepResult unpredicted(RunSweepResult result, const PredictionAttempt& attempt) {
  const ProcessEnd& end = attempt.end;
  const bool is_no_fault = end.signal != 0 || !attempt.no_room.empty();
  result.exit_code = is_no_fault ? kExitInterrupted : kExitOther;
  result.is_unpredicted = end == ProcessEnd{kExitBadInput, 0};
  result.paused_because = attempt.no_room;
  if (!result.is_unpredicted && attempt.no_room.empty()) {
    result.stopped_because = "the prediction " +
                             ((end.signal != 0 ? "was " : "ended with ") + describe(end)) +
                             "; nothing is registered";
  }
  return result;
}

int64_t count_waiting(const Plan& plan, WaitsFor what) {
  return std::ranges::count(plan.cells, what, &PlannedCell::waits);
}

}  // namespace

RunSweepResult run_stages(Plan& plan, const std::function<Plan()>& replan,
                          const RunSweepOptions& options, const std::filesystem::path& analyst,
                          RunDisplay& display) {
  if (!plan.held_out_fault.empty()) {
    if (const std::string changed = diff_line(plan, diff_of(plan)); !changed.empty()) {
      display.line(changed);
    }
    throw ConfigError(plan.held_out_fault);
  }
  std::string told;
  RunSweepOptions of_stage = options;
  while (true) {
    const std::string& of_held_out =
        plan.held_out_fault.empty() ? plan.held_out_doubt : plan.held_out_fault;
    if (!of_held_out.empty() && of_held_out != told) {
      display.line("warning: " + escaped(of_held_out));
    }
    told = of_held_out;
    RunSweepResult result = run_sweep(plan, of_stage, display);
    of_stage.is_later_stage = true;
    if (was_ended_early(result) || waiting_cells(plan) == 0) return result;
    Plan next = replan();
    const bool is_settled = know_the_same(next, plan);
    plan = std::move(next);
    if (!is_settled) continue;
    if (!all_else_has_ended(plan, result) || result.states.at(CellState::kWaiting) == 0) {
      return result;
    }
    if (count_waiting(plan, WaitsFor::kPrediction) == waiting_cells(plan)) {
      display.line("predicting " + counted(waiting_cells(plan), "held-out cell"));
      const PredictionAttempt attempt = register_predictions(analyst, plan, display);
      plan = replan();  // another launcher may have registered them
      if (count_waiting(plan, WaitsFor::kPrediction) == 0) continue;
      return unpredicted(std::move(result), attempt);
    }
    if (std::ranges::any_of(plan.cells, &PlannedCell::needs_hand)) result.exit_code = kExitOther;
    return result;
  }
}

}  // namespace scalelaw
