#include "sweeps/status/named_cells.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>

#include "sweeps/plan/plan_diff.h"
#include "sweeps/status/cell_limits.h"
#include "sweeps/status/cell_status.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/clock.h"
#include "trainer/config_error.h"
#include "trainer/nearest.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFewestHashDigits = 6;

bool means_in_full(const std::string& name, const PlannedCell& cell) {
  if (name == cell.folder) return true;
  return name.size() >= kFewestHashDigits && cell.content_hash.starts_with(name);
}

bool means(const std::string& name, const PlannedCell& cell) {
  return means_in_full(name, cell) || fnmatch(name.c_str(), cell.folder.c_str(), 0) == 0;
}

[[noreturn]] void refuse_name(const Plan& plan, const std::string& name) {
  std::vector<std::string> folders;
  for (const PlannedCell& cell : plan.cells) folders.push_back(cell.folder);
  const std::string near = nearest(name, folders);
  throw ConfigError(
      name + ": no run of sweep " + plan.name + " is called so" +
      (near.empty() ? "; `scalelaw sweep status` lists them" : "; did you mean " + near + "?"));
}

// Why the cell cannot be tried again; "" where it can.
std::string against_retrying(const CellStatus& status, bool is_held_out,
                             const RetryOptions& options) {
  if (status.is_held && !options.forget_limits) return status.why;
  switch (status.state) {
    case CellState::kRunning:
      return "is in use by " + status.why + "; wait for it to end, or stop it";
    case CellState::kExcluded:
      return "is excluded (" + status.why + "); take it in again first: sweep exclude --undo";
    case CellState::kComplete:
      return "is complete; there is nothing to try again";
    case CellState::kDiverged:
      if (options.from_scratch) return "";
      return status.why + ", and is complete; --from-scratch trains it anew";
    case CellState::kWaiting:
      if (is_held_out && options.from_scratch) return "";
      return "waits " + status.why + "; there is nothing to try again";
    case CellState::kMissing:
    case CellState::kInterrupted:
    case CellState::kFailed:
      return "";
  }
  return "";
}

// Whose rates the trial is a part of: one arm's law reads all of its scans.
std::set<std::string> arms_told_by(const Plan& plan, const PlannedCell& trial) {
  std::set<std::string> arms, of_scans;
  for (const SweepPlace& place : trial.places) arms.insert(place.arm);
  for (const TunedRecipe& scan : plan.tuned.scans) {
    const auto is_told = [&](const std::string& arm) { return arms.contains(arm); };
    if (std::ranges::any_of(scan.arms, is_told))
      of_scans.insert(scan.arms.begin(), scan.arms.end());
  }
  arms.merge(of_scans);
  return arms;
}

// What keeps trials' results as they are: of each cell of the sweep that has begun and is no trial,
// its places. Those of the last run too that cells may turn out to be whose trials are lost.
using Begun = std::vector<std::vector<SweepPlace>>;

Begun begun_cells(const Plan& plan) {
  Begun begun;
  const auto note = [&](const std::string& folder, const std::vector<SweepPlace>& places) {
    std::error_code none;
    if (fs::exists(RunFolder{plan.options.runs / folder}.config(), none)) begun.push_back(places);
  };
  for (const PlannedCell& cell : plan.cells) {
    if (!cell.is_trial && !cell.is_provisional()) note(cell.folder, cell.places);
  }
  for (const SweepCell& cell : diff_of(plan).open) {
    if (!cell.is_trial) note(cell.folder, cell.places);
  }
  return begun;
}

// Only of trials is it asked.
Begun begun_beside(const Plan& plan, const std::vector<std::size_t>& cells) {
  const auto is_trial = [&](std::size_t cell) { return plan.cells[cell].is_trial; };
  return std::ranges::any_of(cells, is_trial) ? begun_cells(plan) : Begun{};
}

// Why the trial's result must stay as it is; "" where it need not, and where it is no trial. `how`
// it would be changed: "without it".
std::string against_changing_trial(const Plan& plan, const PlannedCell& cell, const Begun& begun,
                                   const std::string& how) {
  if (!cell.is_trial) return "";
  const std::set<std::string> arms = arms_told_by(plan, cell);
  const int64_t told = std::ranges::count_if(begun, [&](const std::vector<SweepPlace>& places) {
    return std::ranges::any_of(places,
                               [&](const SweepPlace& place) { return arms.contains(place.arm); });
  });
  if (told == 0) return "";
  return "is a trial, and runs that took their rates from the trials have begun (" +
         std::to_string(told) + " of the sweep); " + how +
         " they would be asked for at others. Tune in a sweep of another name";
}

// Why the cell cannot be left out; "" where it can.
std::string against_excluding(const Plan& plan, const PlannedCell& cell, const Begun& begun) {
  if (cell.is_provisional()) {
    return "its rate is not known yet, and so neither is the run; exclude it once it is";
  }
  return against_changing_trial(plan, cell, begun, "without it");
}

// What is damaged is to be trained anew, too.
bool is_complete(const RunFolder& folder, const PlannedCell& cell) {
  try {
    const std::optional<RunRecord> record = try_read_run_record(folder);
    return record && record->state == RunState::kComplete &&
           record->content_hash == cell.content_hash;
  } catch (const ConfigError&) {
    return false;
  }
}

bool set_aside(const Plan& plan, const PlannedCell& cell) {
  const fs::path folder = run_folder(plan, cell);
  std::error_code error;
  if (!fs::exists(folder, error)) return true;
  return set_aside_unless_complete(plan, cell, RunLease(folder));
}

}  // namespace

// The checkpoints first and run.json next: cut off anywhere, the run is complete as it was, or has
// nothing to go on from.
bool set_aside_unless_complete(const Plan& plan, const PlannedCell& cell,
                               const RunLease& /*held*/) {
  const RunFolder folder{run_folder(plan, cell)};
  if (is_complete(folder, cell)) return false;
  fs::path aside;
  for (int number = 1; aside.empty() || fs::exists(aside); ++number) {
    char name[32];
    std::snprintf(name, sizeof name, "%s%04d", kBefore, number);
    aside = folder.path / name;
  }
  create_folders(aside);
  for (const fs::path& part :
       {folder.checkpoints(), folder.record(), folder.merged_metrics(), folder.window_losses()}) {
    if (!fs::exists(part)) continue;
    fs::rename(part, aside / part.filename());
    sync_folder(folder.path);
  }
  return true;
}

std::vector<std::size_t> cells_named(const Plan& plan, const std::vector<std::string>& names) {
  std::vector<bool> is_named(plan.cells.size(), false);
  for (const std::string& name : names) {
    bool any = false;
    for (std::size_t i = 0; i < plan.cells.size(); ++i) {
      if (!means(name, plan.cells[i])) continue;
      is_named[i] = any = true;
    }
    if (!any) refuse_name(plan, name);
  }
  std::vector<std::size_t> cells;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    if (is_named[i]) cells.push_back(i);
  }
  return cells;
}

std::vector<std::size_t> excluded_cells_named(const Plan& plan,
                                              const std::vector<std::string>& names) {
  const fs::path record = sweep_record_file(plan.options.runs, plan.name);
  const auto passes_over = [&](std::size_t index) {
    const PlannedCell& cell = plan.cells[index];
    const auto is_it = [&](const std::string& name) { return means_in_full(name, cell); };
    return std::ranges::none_of(names, is_it) && !has_own_exclusion(record, cell.content_hash);
  };
  std::vector<std::size_t> cells = cells_named(plan, names);
  std::erase_if(cells, passes_over);
  if (!cells.empty()) return cells;
  const bool has_study = !record_of_study(record).empty();
  throw ConfigError(names.front() + ": sweep " + plan.name + " excludes no run that is called so" +
                    (has_study ? "; what sweep " + study_of(plan.name) +
                                     " excludes is taken in again there, without --set"
                               : ", so there is none to take in again"));
}

std::vector<std::size_t> retry_cells(const Plan& plan, const std::vector<std::size_t>& cells,
                                     const RetryOptions& options) {
  const SweepFolder folder = sweep_folder(plan.options.runs, plan.name);
  const LaunchNotes notes = read_launch_notes(folder);
  const Begun begun = begun_beside(plan, cells);
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    const CellStatus status = look_at(plan, cell, notes);
    std::string why = against_retrying(status, cell.is_held_back(), options);
    if (why.empty() && status.state == CellState::kDiverged) {
      why = against_changing_trial(plan, cell, begun, "with another result of it");
    }
    if (!why.empty()) throw ConfigError(cell.folder + ": " + why);
  }
  folder.prepare();
  std::vector<UnfinishedAttempt> tries;
  std::vector<std::size_t> retried;
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    if (options.from_scratch && !set_aside(plan, cell)) continue;
    retried.push_back(index);
    tries.push_back({cell.content_hash, {kExitInterrupted, 0}, "another try", utc_now(), ""});
  }
  append_unfinished(folder, tries);
  if (options.forget_limits) forget_limits(folder, plan, retried);
  return retried;
}

void exclude_cells(const Plan& plan, const std::vector<std::size_t>& cells,
                   const std::string& reason) {
  if (reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    throw ConfigError("--reason is missing: every table will show why the run is left out");
  }
  if (reason.size() > kMostReasonBytes) {
    throw ConfigError("--reason has " + std::to_string(reason.size()) +
                      " bytes; every table will "
                      "show it, and it has at most " +
                      std::to_string(kMostReasonBytes));
  }
  std::string line = reason;  // of a table
  std::replace_if(
      line.begin(), line.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');
  if (plan.predicts_for_study) {
    throw ConfigError("sweep " + plan.name + " has the runs of " + study_of(plan.name) +
                      ", for which its predictions are registered; exclude them there, without "
                      "--set, which holds here too");
  }
  const fs::path record = sweep_record_file(plan.options.runs, plan.name);
  const Begun begun = begun_beside(plan, cells);
  for (const std::size_t index : cells) {
    const std::string why = against_excluding(plan, plan.cells[index], begun);
    if (!why.empty()) throw ConfigError(plan.cells[index].folder + ": " + why);
  }
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    exclude_cell(record, {cell.content_hash, cell.folder, line, utc_now()});
  }
}

std::map<std::size_t, std::string> include_cells(const Plan& plan,
                                                 const std::vector<std::size_t>& cells) {
  const fs::path record = sweep_record_file(plan.options.runs, plan.name);
  const Begun begun = begun_beside(plan, cells);
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    const auto reason = exclusion_reason(record, cell.content_hash);
    if (!reason) throw ConfigError(cell.folder + ": is not excluded");
    std::string why = against_changing_trial(plan, cell, begun, "with it");
    if (why.empty() && !has_own_exclusion(record, cell.content_hash)) {
      why = "is excluded from sweep " + study_of(plan.name) + " (" + *reason +
            "), and so from this one of its file; take it in again there, without --set";
    }
    if (!why.empty()) throw ConfigError(cell.folder + ": " + why);
  }
  std::map<std::size_t, std::string> still_excluded;
  for (const std::size_t index : cells) {
    const PlannedCell& cell = plan.cells[index];
    include_cell(record, cell.content_hash);
    if (const auto reason = exclusion_reason(record, cell.content_hash)) {
      still_excluded.emplace(index, *reason);
    }
  }
  return still_excluded;
}

}  // namespace scalelaw
