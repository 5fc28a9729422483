// read_runs(): sweeps' records and folders into one table.
#include <algorithm>
#include <map>
#include <utility>

#include "analysis/run_table.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/hash.h"
#include "trainer/shell_word.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 12;

bool is_run_folder(const fs::path& path) {
  const RunFolder folder{path};
  return fs::exists(folder.record()) || fs::exists(folder.config()) ||
         fs::exists(folder.attempts());
}

std::string last_part(const fs::path& path) {
  const fs::path clean = fs::absolute(path).lexically_normal();
  return (clean.has_filename() ? clean.filename() : clean.parent_path().filename()).string();
}

// What the sweeps of a store leave out, in words.
constexpr const char* kTrial = "a trial of the learning rate";
struct LeftOut {
  std::map<std::string, std::string> by_hash;
  std::map<std::string, std::string> by_folder;  // of a run without a result nothing else is known
};

LeftOut left_out_of(const fs::path& store) {
  LeftOut left_out;
  for (const auto& [content_hash, exclusions] : exclusions_of_store(store)) {
    const std::string words = in_words(exclusions);
    left_out.by_hash[content_hash] = words;
    for (const SweepExclusion& each : exclusions) left_out.by_folder[each.folder] = words;
  }
  for (const SweepCell& trial : trials_of_store(store)) {
    left_out.by_hash.emplace(trial.content_hash, kTrial);
    left_out.by_folder.emplace(trial.folder, kTrial);
  }
  return left_out;
}

const std::string* find(const std::map<std::string, std::string>& words, const std::string& key) {
  const auto found = words.find(key);
  return found == words.end() ? nullptr : &found->second;
}

// Where a run is asked for: a sweep names the cell's arms and has left out its own exclusions, a
// folder names none, and what any sweep of its store excludes is left out.
struct Asked {
  std::optional<std::string> arm = {};  // "": the architecture's name
  std::string content_hash = {};        // "": any
  const LeftOut* left_out = nullptr;    // of the store; none where a sweep asks
};

void exclude_once(RunTable& table, const Exclusion& exclusion, bool any_arm) {
  for (const Exclusion& e : table.excluded) {
    if (e.folder_name == exclusion.folder_name && (any_arm || e.arm == exclusion.arm)) return;
  }
  table.excluded.push_back(exclusion);
}

// Why the run is no row; "" where it is one.
std::string add_run(RunTable& table, const fs::path& path, const Asked& asked) {
  const std::string name = last_part(path);
  const std::string& content_hash = asked.content_hash;
  const LeftOut nothing, &left_out = asked.left_out != nullptr ? *asked.left_out : nothing;
  std::string arm = asked.arm.value_or("");
  const auto exclude = [&](const std::string& reason) {
    exclude_once(table, {name, arm, reason}, !asked.arm);
    return reason;
  };
  if (!fs::is_directory(path)) return exclude("not started");
  RunRow row;
  row.folder.path = path;
  row.folder_name = name;
  try {
    std::optional<RunRecord> record = try_read_run_record(row.folder);
    if (!record) {
      const std::string* excluded = find(left_out.by_folder, name);
      return exclude(excluded != nullptr ? *excluded
                                         : "not complete: the command that started it resumes it");
    }
    row.record = std::move(*record);
  } catch (const std::runtime_error& error) {
    return exclude(std::string("cannot be read: ") + error.what());
  }
  if (arm.empty()) arm = row.record.shape.arch;
  row.arm = arm;
  if (!content_hash.empty() && row.record.content_hash != content_hash) {
    return exclude("its content hash is not the one in the sweep's record");
  }
  const std::string* excluded = find(left_out.by_hash, row.record.content_hash);
  if (row.record.state == RunState::kDiverged && excluded == nullptr) return exclude("diverged");
  for (const RunRow& other : table.rows) {
    // The same run again. A path that names no arm adds none to those a sweep gave it.
    if (other.record.content_hash == row.record.content_hash &&
        (!asked.arm || other.arm == row.arm)) {
      return "";
    }
  }
  if (excluded != nullptr) return exclude(*excluded);
  table.rows.push_back(std::move(row));
  return "";
}

// Of RUNS/sweeps/NAME.json: RUNS, as short as the record's path was given.
fs::path store_of(const fs::path& record_file) {
  const fs::path store = (record_file.parent_path() / "..").lexically_normal();
  return store.has_filename() ? store : store.parent_path();
}

// A sweep that was read, and its cells that gave no row through it.
struct SweepRead {
  fs::path file;
  SweepRecord record;
  struct Unused {
    SweepCell cell;
    std::string reason;
  };
  std::vector<Unused> unused;
};

bool is_row(const RunTable& table, const std::string& arm, const std::string& content_hash) {
  return std::any_of(table.rows.begin(), table.rows.end(), [&](const RunRow& row) {
    return row.arm == arm && row.record.content_hash == content_hash;
  });
}

std::string some_of(const std::vector<std::string>& names) {
  std::string list;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    list += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kMostNamed) {
    list += " and " + std::to_string(names.size() - kMostNamed) +
            " more, in the table of runs left out";
  }
  return list;
}

// What became of a sweep's cells, by name: a count would leave the reader to guess which sizes the
// law lacks.
void note_what_is_lacking(RunTable& table, const SweepRead& read) {
  const SweepRecord& sweep = read.record;
  const auto trials = std::ranges::count_if(sweep.cells, &SweepCell::is_trial);
  SweepSource source{sweep.name, static_cast<int>(std::ssize(sweep.cells) - trials), {}};
  std::vector<std::string> used_by_others;
  for (const auto& [cell, reason] : read.unused) {
    const bool used = std::all_of(
        cell.places.begin(), cell.places.end(),
        [&, &hash = cell.content_hash](const auto& at) { return is_row(table, at.arm, hash); });
    (used ? used_by_others : source.not_used).push_back(cell.folder + " (" + reason + ")");
  }
  const auto of_all = [&](const std::vector<std::string>& runs) {
    return std::to_string(runs.size()) + " of the " + std::to_string(source.cells) +
           " runs of sweep " + sweep.name + " are ";
  };
  if (!source.not_used.empty()) {
    table.warnings.push_back(of_all(source.not_used) +
                             "not in this analysis: " + some_of(source.not_used) +
                             "; `scalelaw sweep status " + shell_word(sweep.spec_file) +
                             folder_option("--runs", store_of(read.file), "runs") + "` says more");
  }
  if (sweep.waiting > 0) {
    table.warnings.push_back(std::to_string(sweep.waiting) + " cells of sweep " + sweep.name +
                             " wait for what its trials tell and are not in this analysis" +
                             (sweep.open == 0
                                  ? ""
                                  : "; " + std::to_string(sweep.open) +
                                        " runs that some of them may turn out to be are"));
  }
  if (!used_by_others.empty()) {
    table.warnings.push_back(of_all(used_by_others) +
                             "in this analysis only because another sweep asked for uses them: " +
                             some_of(used_by_others));
  }
  std::error_code error;
  const std::string& known = sweep.file_hash.empty() ? sweep.spec_hash : sweep.file_hash;
  if (fs::is_regular_file(sweep.spec_file, error) &&
      hash_hex(read_whole_file(sweep.spec_file)) != known) {
    table.warnings.push_back(
        sweep.spec_file + " is no longer the file that " + last_part(read.file) +
        " was written from: this analysis is of the runs recorded then; `scalelaw sweep run` "
        "brings the record up to date");
  }
  table.sweeps.push_back(std::move(source));
}

SweepRead add_sweep(RunTable& table, const fs::path& file, HeldOutCells held_out) {
  SweepRead read{file, {}, {}};
  const SweepRecord& sweep = read.record;
  try {
    read.record = read_sweep_record(file);
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  if (held_out == HeldOutCells::kPassedOver) {
    std::erase_if(read.record.cells, [](const SweepCell& cell) { return cell.hold_out; });
  }
  const fs::path runs = fs::absolute(file).parent_path().parent_path();
  for (const SweepCell& cell : sweep.cells) {
    if (cell.is_trial) {
      for (const SweepPlace& place : cell.places) {
        exclude_once(table, {cell.folder, place.arm, kTrial, true}, false);
      }
      continue;
    }
    const std::optional<std::string> excluded = exclusion_reason(file, cell.content_hash);
    std::string reason;  // of the last arm that lacks it
    for (const SweepPlace& place : cell.places) {
      if (excluded) {
        reason = "excluded: " + *excluded;
        exclude_once(table, {cell.folder, place.arm, reason}, false);
        continue;
      }
      const std::string why = add_run(table, runs / cell.folder, {place.arm, cell.content_hash});
      if (!why.empty()) reason = why;
    }
    if (!reason.empty()) read.unused.push_back({cell, reason});
  }
  return read;
}

// Stores by path, each read once.
using Stores = std::map<fs::path, LeftOut>;

const LeftOut& store_at(Stores& stores, const fs::path& path) {
  const fs::path store = fs::weakly_canonical(path);
  const auto found = stores.find(store);
  return found != stores.end() ? found->second
                               : stores.emplace(store, left_out_of(store)).first->second;
}

void add_folder(RunTable& table, const fs::path& path, Stores& stores) {
  if (is_run_folder(path)) {
    add_run(table, path, {.left_out = &store_at(stores, fs::absolute(path) / "..")});
    return;
  }
  std::vector<fs::path> runs;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    if (entry.is_directory() && is_run_folder(entry.path())) runs.push_back(entry.path());
  }
  if (runs.empty()) {
    throw ConfigError(path.string() +
                      ": holds no run folder; give a sweep's record (RUNS/sweeps/NAME.json), a "
                      "folder of runs or run folders");
  }
  std::sort(runs.begin(), runs.end());
  const LeftOut& left_out = store_at(stores, path);
  for (const fs::path& run : runs) add_run(table, run, {.left_out = &left_out});
}

}  // namespace

RunTable read_runs(const std::vector<fs::path>& paths, HeldOutCells held_out) {
  RunTable table;
  for (const fs::path& path : paths) {
    if (!fs::exists(path)) {
      throw ConfigError(path.string() +
                        ": not there; give a sweep's record (RUNS/sweeps/NAME.json), a folder of "
                        "runs or run folders");
    }
    table.source += (table.source.empty() ? "" : ", ") + last_part(path);
  }
  std::vector<SweepRead> sweeps;
  for (const fs::path& path : paths) {
    if (!fs::is_directory(path)) sweeps.push_back(add_sweep(table, path, held_out));
  }
  std::erase_if(table.excluded, [&](const Exclusion& each) {  // by one sweep, used by another
    return std::any_of(table.rows.begin(), table.rows.end(), [&](const RunRow& row) {
      return row.arm == each.arm && row.folder_name == each.folder_name;
    });
  });
  for (const SweepRead& read : sweeps) note_what_is_lacking(table, read);
  Stores stores;
  for (const fs::path& path : paths) {  // after the sweeps, which know the arms
    if (fs::is_directory(path)) add_folder(table, path, stores);
  }
  return table;
}

}  // namespace scalelaw
