#include "sweeps/mending_verbs.h"

#include <algorithm>
#include <map>

#include "trainer/escaped.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

constexpr const char* kNamesHelp =
    "folders' names as status shows them, patterns ('*_l2w64_*'), or beginnings of content hashes";

void refuse_another_sweeps(const Plan& plan) {
  refuse_name_of_another_sweep(plan);
}

std::string line(const Plan& plan, std::size_t cell, const std::string& done) {
  return plan.cells[cell].folder + ": " + done + "\n";
}

std::string go_on(const std::string& sweep_words) {
  return "Go on with:\n  scalelaw sweep run " + sweep_words + "\n";
}

}  // namespace

void add_retry_verb(CLI::App& app, const AddOptions& add_common, MendingArguments& arguments) {
  CLI::App* retry =
      app.add_subcommand("retry", "forget why runs failed, so that `run` starts them");
  retry->footer(
      "Example: scalelaw sweep retry spec.yaml --only 'lstm_*'\n"
      "They go on from their checkpoints. --from-scratch sets aside what they have trained, as\n"
      "before.0001/ in the run's folder. What packs and pieces were found to need too much memory\n"
      "stays remembered; --forget-limits forgets that too, as for a larger machine, or where\n"
      "another program had taken the memory. A launcher that is at work learns nothing of it; the\n"
      "next one does.");
  add_common(retry);
  retry->add_option("--only", arguments.only, kNamesHelp)->required()->type_name("NAME");
  retry->add_flag("--from-scratch", arguments.retry.from_scratch,
                  "from step 0; of diverged runs too");
  retry->add_flag("--forget-limits", arguments.retry.forget_limits,
                  "in packs and pieces as large as if memory had always sufficed");
}

void add_exclude_verb(CLI::App& app, const AddOptions& add_common, MendingArguments& arguments) {
  CLI::App* exclude = app.add_subcommand("exclude", "leave runs out of the sweep, with a reason");
  exclude->footer(
      "Example: scalelaw sweep exclude spec.yaml 3fa9c1d2 --reason 'its GPU computed wrongly'\n"
      "They are not run, and status, fit, compare and report show them with the reason.");
  add_common(exclude);
  exclude->add_option("run", arguments.named, kNamesHelp)->required()->type_name("NAME");
  CLI::Option* reason = exclude->add_option("--reason", arguments.reason, "for every later table");
  exclude
      ->add_flag("--undo", arguments.undo,
                 "take them in again; of a pattern's those that are excluded")
      ->excludes(reason);
}

std::string retry(const Plan& plan, const MendingArguments& arguments,
                  const std::string& sweep_words) {
  refuse_another_sweeps(plan);
  const std::vector<std::size_t> cells = cells_named(plan, arguments.only);
  const std::vector<std::size_t> mended = retry_cells(plan, cells, arguments.retry);
  const std::string done =
      arguments.retry.from_scratch ? "will be trained anew" : "will be tried again";
  std::string text;
  for (const std::size_t cell : cells) {
    const bool is_mended = std::ranges::find(mended, cell) != mended.end();
    text +=
        line(plan, cell, is_mended ? done : "has been completed this moment, and is left as it is");
  }
  return text + go_on(sweep_words);
}

std::string exclude(const Plan& plan, const MendingArguments& arguments,
                    const std::string& sweep_words, const std::function<Plan()>& replan) {
  refuse_another_sweeps(plan);
  std::string text;
  if (!arguments.undo) {
    const std::vector<std::size_t> cells = cells_named(plan, arguments.named);
    exclude_cells(plan, cells, arguments.reason);
    for (const std::size_t cell : cells) text += line(plan, cell, "excluded");
    return text;
  }
  const std::vector<std::size_t> cells = excluded_cells_named(plan, arguments.named);
  const std::map<std::size_t, std::string> still_excluded = include_cells(plan, cells);
  for (const std::size_t cell : cells) {
    const auto by_study = still_excluded.find(cell);
    text += line(plan, cell,
                 by_study == still_excluded.end()
                     ? "no longer excluded"
                     : "no longer excluded with these settings, but left out by sweep " +
                           study_of(plan.name) + " (" + escaped(by_study->second) +
                           "), and so here; take it in again there, without --set");
  }
  const std::string fault = replan().held_out_fault;
  return text +
         (fault.empty() ? go_on(sweep_words) : "run refuses the sweep: " + escaped(fault) + "\n");
}

}  // namespace scalelaw
