#include "sweeps/status/cell_watch.h"

#include <filesystem>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "sweeps/status/run_index.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/cell_exclusion.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLooksToSeeAllThatEnded = 16;

// Of a folder's files, by their names, sizes and times.
std::string stamp_of_files(const fs::path& folder) {
  std::set<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    files.insert(it->path());
  }
  std::string stamp;
  for (const fs::path& file : files) stamp += file.string() + "\n" + file_stamp(file) + "\n";
  return stamp;
}

}  // namespace

CellWatch::CellWatch(const Plan& plan) : plan_(plan), statuses_(look_at_all(plan)) {
  stamps_.resize(statuses_.size());
  for (std::size_t i = 0; i < statuses_.size(); ++i) {
    if (ended(statuses_[i].state)) stamps_[i] = stamp(i);
  }
  read_changed_notes();
}

// The exclusion that somebody may have made or undone, too.
std::string CellWatch::stamp(std::size_t cell) const {
  const PlannedCell& planned = plan_.cells[cell];
  const fs::path sweep = sweep_record_file(plan_.options.runs, plan_.name);
  std::string stamp = file_stamp(RunFolder{run_folder(plan_, planned)}.record());
  for (const fs::path& record : {sweep, record_of_study(sweep)}) {
    if (record.empty()) continue;
    stamp += "\n" + file_stamp(exclusions_folder(record) / (planned.content_hash + ".json"));
  }
  return stamp;
}

void CellWatch::read_changed_notes() {
  const SweepFolder folder = sweep_folder(plan_.options.runs, plan_.name);
  std::string now = stamp_of_files(folder.unfinished()) + stamp_of_files(folder.limits());
  if (now == stamp_of_notes_) return;
  notes_ = read_launch_notes(folder);
  stamp_of_notes_ = std::move(now);
}

void CellWatch::look(const std::atomic<bool>& is_to_stop) {
  read_changed_notes();
  ++looks_;
  for (std::size_t i = 0; i < statuses_.size() && !is_to_stop; ++i) {
    const bool is_due = i % kLooksToSeeAllThatEnded == looks_ % kLooksToSeeAllThatEnded;
    if (!ended(statuses_[i].state) || (is_due && stamp(i) != stamps_[i])) look(i);
  }
}

void CellWatch::look(std::size_t cell) {
  statuses_[cell] = look_at(plan_, plan_.cells[cell], notes_);
  if (ended(statuses_[cell].state)) stamps_[cell] = stamp(cell);
  if (statuses_[cell].state == CellState::kRunning) {
    doubt(cell);
  } else {
    leases_.erase(cell);
  }
}

// Of another machine nobody knows at once whether a process lives.
void CellWatch::doubt(std::size_t cell) {
  LeaseWatch& lease = leases_.try_emplace(cell, run_folder(plan_, plan_.cells[cell])).first->second;
  try {
    if (lease.look() != LeaseState::kStale) return;
  } catch (const std::runtime_error&) {
    return;  // the next look says of what kind the fault is
  }
  CellStatus& status = statuses_[cell];
  status.state = CellState::kInterrupted;
  status.tokens_per_second.reset();
  status.why = kNoSignOfLife + status.why;
}

}  // namespace scalelaw
