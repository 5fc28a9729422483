#include "sweeps/run_verb.h"

#include <iostream>
#include <vector>

#include "sweeps/launch/run_display.h"
#include "sweeps/launch/stages.h"
#include "sweeps/plan/reports.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/predicted_actual.h"
#include "sweeps/status/terminal.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {

int run_verb(Plan plan, const std::function<Plan()>& replan, const RunSweepOptions& options,
             const std::filesystem::path& analyst, const SweepCommand& command) {
  RunDisplay display(std::cout, stdout_is_terminal(), stdout_size());
  if (!plan.options.profile.empty()) {
    display.line("profile " + escaped(plan.options.profile) + "; runs in " +
                 escaped(plan.options.runs.string()));
  }
  const RunSweepResult result = run_stages(plan, replan, options, analyst, display);

  display.close();
  std::vector<CellStatus> at_end = look_at_all(plan);
  read_ledgers(plan, at_end);
  std::cout << plan.name << ": " << states_text(result.states) << "\n"
            << excluded_text(plan, at_end)
            << predicted_text(predicted_and_actual(plan, at_end), plan);
  if (!result.paused_because.empty()) {
    std::cout << "paused: " << escaped(result.paused_because)
              << "; nothing is lost. Make room first.\n";
  }
  if (!result.over_budget_because.empty()) {
    std::cout << "nothing more was started: " << escaped(result.over_budget_because) << "\n";
    if (result.budget_counts_elsewhere) {
      std::cout << "The runs of other launchers count whole until they have ended.\n";
    } else if (result.interrupted_over_budget >= result.resumable) {
      std::cout << "Raise the budget first.\n";
    }
  }
  if (!result.stopped_because.empty()) {
    std::cout << "stopped: " << escaped(result.stopped_because) << "\n";
  }
  if (result.exit_code == kExitComplete) return result.exit_code;
  if (result.is_unpredicted) {
    std::cout
        << "The held-out runs wait, for nothing was registered, and the same command alone ends "
           "so again. What is in the way stands above: give them more to be predicted from "
           "(sizes, seeds), hold other cells out (hold_out.where), or leave some out "
           "(scalelaw sweep exclude "
        << command.words << " NAME --reason TEXT). Then go on with:\n  " << command.whole << "\n";
    return result.exit_code;
  }
  if (result.states.at(CellState::kFailed) > 0 && result.exit_code == kExitOther) {
    std::cout << "what failed and why: scalelaw sweep status " << command.words << "\n";
  }
  const std::string by_hand = needs_hand_text(plan, at_end);
  std::cout << by_hand;
  if (result.resumable > 0) {
    std::cout << counted(result.resumable, "run") << (result.resumable == 1 ? " goes" : " go")
              << " on from " << (result.resumable == 1 ? "its checkpoint" : "their checkpoints")
              << ". ";
  }
  std::cout << (by_hand.empty() ? "Go on with:\n  " : "Then go on with:\n  ") << command.whole
            << "\n";
  return result.exit_code;
}

}  // namespace scalelaw
