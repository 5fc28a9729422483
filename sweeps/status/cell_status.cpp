#include "sweeps/status/cell_status.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "sweeps/status/run_facts.h"
#include "sweeps/status/run_index.h"
#include "trainer/cell_exclusion.h"
#include "trainer/checkpoint_files.h"
#include "trainer/config_error.h"
#include "trainer/nearest.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

std::optional<int64_t> newest_checkpoint(const RunFolder& folder) {
  try {
    const std::vector<int64_t> steps = checkpoint_steps(folder);
    if (!steps.empty()) return steps.front();
  } catch (const fs::filesystem_error&) {
    return std::nullopt;  // removed at this moment, or not ours to read
  }
  return std::nullopt;
}

constexpr std::size_t kMostRowBytes = std::size_t{1} << 16;

std::optional<MetricsRow> newest_row(const RunFolder& folder) {
  try {
    const std::vector<int> parts = metrics_part_numbers(folder);
    for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
      const std::string line = last_line(folder.metrics_part(*part), kMostRowBytes);
      if (!line.empty()) return metrics_row_from_json(line);  // else it has just begun
    }
  } catch (const std::exception&) {
    return std::nullopt;  // no folder yet, or a line that is being written at this moment
  }
  return std::nullopt;
}

// Of a run with a record.
CellStatus status_of(const RunFacts& facts, const PlannedCell& cell) {
  CellStatus status;
  status.step = static_cast<int64_t>(number_fact(facts, "steps"));
  status.wall_seconds = number_fact(facts, "wall_seconds");
  if (text_fact(facts, "content_hash") != cell.content_hash) {
    status.state = CellState::kFailed;
    status.needs_hand = true;
    status.why =
        "the folder holds another run (" + text_fact(facts, "content_hash") + "); move it away";
    return status;
  }
  if (text_fact(facts, "state") == name(CellState::kDiverged)) {
    status.state = CellState::kDiverged;
    status.why = "diverged after " + std::to_string(status.step) + " steps";
    return status;
  }
  status.state = CellState::kComplete;
  status.test_set = text_fact(facts, "test_set");
  if (!status.test_set.empty()) status.loss_nats = number_fact(facts, "loss");
  return status;
}

CellStatus damaged(std::string why) {
  CellStatus status;
  status.state = CellState::kFailed;
  status.why = std::move(why);
  status.needs_hand = true;
  return status;
}

CellStatus failed(CellStatus status, const UnfinishedAttempt& last) {
  status.state = CellState::kFailed;
  status.why = describe(last.end) + ": " + last.reason;
  status.log = last.log;
  status.needs_hand = last.end.exit_code == kExitBadInput;
  return status;
}

}  // namespace

std::string_view name(CellState state) {
  switch (state) {
    case CellState::kMissing:
      return "missing";
    case CellState::kRunning:
      return "running";
    case CellState::kInterrupted:
      return "interrupted";
    case CellState::kComplete:
      return "complete";
    case CellState::kDiverged:
      return "diverged";
    case CellState::kFailed:
      return "failed";
    case CellState::kWaiting:
      return "waiting";
    case CellState::kExcluded:
      return "excluded";
  }
  return "";
}

CellState cell_state_from(std::string_view option, const std::string& text) {
  std::vector<std::string> names;
  for (const CellState state : kCellStates) {
    if (name(state) == text) return state;
    names.emplace_back(name(state));
  }
  throw ConfigError(std::string(option) + " " + text + ": no state of a run" +
                    nearest_or_all(text, names));
}

CellStatus progress_of(const fs::path& run_folder) {
  CellStatus status;
  if (const std::optional<MetricsRow> row = newest_row({run_folder})) {
    status.step = row->step;
    status.loss_nats = row->train_loss_nats;
    status.tokens_per_second = row->tokens_per_second;
    status.wall_seconds = row->wall_seconds;
  }
  return status;
}

bool has_record(const Plan& plan, const PlannedCell& cell) {
  std::error_code error;
  return fs::exists(RunFolder{run_folder(plan, cell)}.record(), error);
}

static CellStatus look_at_folder(const Plan& plan, const PlannedCell& cell,
                                 const UnfinishedAttempts& unfinished, RunIndex* index) {
  const RunFolder folder{run_folder(plan, cell)};
  std::error_code error;
  const bool is_there = fs::exists(folder.path, error);
  if (error) return damaged(folder.path.string() + ": " + error.message());
  if (!is_there) {
    const auto last = unfinished.find(cell.content_hash);
    if (last == unfinished.end() || last->second.interrupted()) return {};
    return failed({}, last->second);
  }
  try {
    if (index != nullptr) {
      if (const auto facts = index->record_of(cell.folder)) return status_of(*facts, cell);
    } else if (const std::optional<RunRecord> record = try_read_run_record(folder)) {
      return status_of(record_facts(*record), cell);
    }
    if (const std::optional<std::string> holder = lease_holder(folder.path)) {
      CellStatus status = progress_of(folder.path);
      status.state = CellState::kRunning;
      status.why = *holder;
      return status;
    }
  } catch (const std::exception& fault) {
    return damaged(fault.what());
  }
  CellStatus status = progress_of(folder.path);
  const std::optional<int64_t> checkpoint = newest_checkpoint(folder);
  status.tokens_per_second.reset();
  status.step = checkpoint.value_or(0);
  const auto last = unfinished.find(cell.content_hash);
  if (last != unfinished.end() && !last->second.interrupted()) {
    return failed(status, last->second);
  }
  status.state = checkpoint ? CellState::kInterrupted : CellState::kMissing;
  if (!checkpoint) status.loss_nats.reset();
  if (last != unfinished.end() && last->second.reason.starts_with(kTimeLimit)) {
    status.why = last->second.reason;
  }
  return status;
}

// Where it was not excluded meanwhile; what runs is shown as running.
static CellStatus unless_excluded(CellStatus status, const Plan& plan, const PlannedCell& cell) {
  if (status.state == CellState::kRunning) return status;
  const auto reason =
      exclusion_reason(sweep_record_file(plan.options.runs, plan.name), cell.content_hash);
  if (!reason) return status;
  status.state = CellState::kExcluded;
  status.why = *reason;
  status.needs_hand = status.is_held = false;
  return status;
}

static CellStatus unless_too_large(CellStatus status, const PlannedCell& cell,
                                   const SweepLimits& all) {
  if (ended(status.state) || status.state == CellState::kRunning) return status;
  const CellLimits limits = limits_of(all, cell);
  if (!limits.too_large) return status;
  status.state = CellState::kFailed;
  status.why = too_large_text(limits, cell);
  status.needs_hand = status.is_held = true;
  return status;
}

// `step`: as far as another sweep has brought it.
static CellStatus waiting(const PlannedCell& cell, int64_t step = 0) {
  CellStatus status;
  status.step = step;
  status.state = CellState::kWaiting;
  status.why = "for " + cell.waits_for;
  status.needs_hand = cell.needs_hand();
  return status;
}

LaunchNotes read_launch_notes(const SweepFolder& folder) {
  return {read_last_unfinished(folder), read_limits(folder)};
}

CellStatus look_at(const Plan& plan, const PlannedCell& cell, const LaunchNotes& notes,
                   RunIndex* index) {
  if (cell.is_provisional()) return waiting(cell);
  CellStatus status = look_at_folder(plan, cell, notes.unfinished, index);
  status = unless_excluded(unless_too_large(std::move(status), cell, notes.limits), plan, cell);
  // Another sweep may have run it.
  const bool has_begun = ended(status.state) || status.state == CellState::kRunning;
  return cell.is_held_back() && !has_begun ? waiting(cell, status.step) : status;
}

std::vector<CellStatus> look_at_all(const Plan& plan) {
  const LaunchNotes notes = read_launch_notes(sweep_folder(plan.options.runs, plan.name));
  std::vector<CellStatus> statuses;
  statuses.reserve(plan.cells.size());
  RunIndex index(plan.options.runs);
  for (const PlannedCell& cell : plan.cells) {
    statuses.push_back(look_at(plan, cell, notes, &index));
  }
  index.save();
  return statuses;
}

void read_ledger(const Plan& plan, const PlannedCell& cell, CellStatus& status) {
  if (cell.is_provisional()) return;  // its folder is another run's
  const std::vector<AttemptCost> costs = read_costs({run_folder(plan, cell)});
  // A running attempt has lost nothing yet of what it has trained.
  const bool is_running = status.state == CellState::kRunning && !costs.empty();
  status.ledger = ledger_of(costs, is_running ? costs.back().last_step() : status.step);
}

void read_ledgers(const Plan& plan, std::vector<CellStatus>& statuses) {
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    read_ledger(plan, plan.cells[i], statuses[i]);
  }
}

std::map<CellState, int64_t> count_states(const std::vector<CellStatus>& statuses) {
  std::map<CellState, int64_t> counts;
  for (const CellState state : kCellStates) counts[state] = 0;
  for (const CellStatus& status : statuses) ++counts[status.state];
  return counts;
}

}  // namespace scalelaw
