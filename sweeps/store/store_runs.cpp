#include "sweeps/store/store_runs.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "sweeps/plan/plan.h"
#include "sweeps/status/run_index.h"
#include "sweeps/status/sweep_folder.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/hash.h"
#include "trainer/nearest.h"
#include "trainer/prediction.h"
#include "trainer/run_record.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostNamed = 8;
constexpr const char* kSweeps = "sweeps";

void require_store(const fs::path& runs) {
  if (fs::is_directory(runs)) return;
  throw ConfigError("--runs " + runs.string() + ": " +
                    (fs::exists(runs) ? "is no folder" : "no such folder") +
                    "; a store is made by `scalelaw train` or `scalelaw sweep run`");
}

// By name; what begins with a dot is nobody's run.
std::vector<std::string> folder_names(const fs::path& runs) {
  require_store(runs);
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(runs)) {
    std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name != kSweeps && name != kPredictionsFolder &&
        entry.is_directory()) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// What the sweeps' records and notes say of runs, by content hash.
struct SweepNotes {
  std::map<std::string, std::vector<SweepUse>> uses;
  StoreExclusions exclusions;
  LaunchNotes launches;
  std::vector<std::string> warnings;
};

SweepNotes read_sweep_notes(const fs::path& runs) {
  SweepNotes notes;
  try {
    notes.exclusions = exclusions_of_store(runs);
  } catch (const std::runtime_error& error) {
    notes.warnings.emplace_back(error.what());
  }
  std::set<fs::path> records;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(runs / kSweeps, none)) {
    if (entry.path().extension() == ".json") records.insert(entry.path());
  }
  for (const fs::path& file : records) {
    try {
      // Not the name in it: it may come from elsewhere, and lead out of the store.
      const std::string sweep = file.stem().string();
      for (const SweepCell& cell : read_sweep_record(file).cells) {
        notes.uses[cell.content_hash].push_back({sweep, cell.keep});
      }
      LaunchNotes launches = read_launch_notes(sweep_folder(runs, sweep));
      for (auto& [hash, attempt] : launches.unfinished) {
        UnfinishedAttempt& last = notes.launches.unfinished[hash];
        if (last.ended_at <= attempt.ended_at) last = std::move(attempt);
      }
      for (const auto& [hash, limits] : launches.limits) {
        notes.launches.limits[hash].narrow(limits);
      }
    } catch (const std::runtime_error& error) {
      notes.warnings.emplace_back(error.what());
    }
  }
  return notes;
}

class StoreReader {
 public:
  explicit StoreReader(const fs::path& runs)
      : runs_(runs), notes_(read_sweep_notes(runs)), index_(runs) {}

  StoreRuns read() {
    StoreRuns store;
    for (const std::string& name : folder_names(runs_)) {
      StoreRun run;
      run.name = name;
      if (!add_record(run) && !add_beginning(run)) continue;
      add_config(run);
      run.facts["name"] = name;
      run.facts["state"] = std::string(scalelaw::name(run.state));
      add_sweeps(run);
      store.runs.push_back(std::move(run));
    }
    index_.save();
    store.warnings = notes_.warnings;
    return store;
  }

 private:
  // False: it has no record.
  bool add_record(StoreRun& run) {
    try {
      std::optional<RunFacts> record = index_.record_of(run.name);
      if (!record) return false;
      run.facts = std::move(*record);
    } catch (const std::exception& error) {
      run.state = CellState::kFailed;
      run.why = error.what();
      return true;
    }
    const bool diverged = text_fact(run.facts, "state") == name(CellState::kDiverged);
    run.state = diverged ? CellState::kDiverged : CellState::kComplete;
    return true;
  }

  // False: nothing of a run is there.
  bool add_beginning(StoreRun& run) {
    const RunFolder folder{runs_ / run.name};
    std::error_code error;
    if (!fs::exists(folder.config(), error) && !fs::exists(folder.attempts(), error)) return false;
    Plan plan;
    plan.options.runs = runs_;
    PlannedCell cell;
    cell.folder = run.name;
    try {
      const std::vector<Attempt> attempts = read_attempts(folder);
      if (!attempts.empty()) cell.content_hash = attempts.back().content_hash;
    } catch (const std::exception& fault) {
      run.state = CellState::kFailed;
      run.why = fault.what();
      return true;
    }
    const CellStatus status = look_at(plan, cell, notes_.launches);
    run.state = status.state;
    run.why = status.why;
    run.facts["step"] = static_cast<double>(status.step);
    run.facts["wall_seconds"] = status.wall_seconds;
    if (!cell.content_hash.empty()) run.facts["content_hash"] = cell.content_hash;
    return true;
  }

  void add_config(StoreRun& run) {
    const std::string file = run.name + "/config.yaml";
    try {
      std::optional<RunFacts> config =
          index_.of(file, [&] { return config_facts(read_run_config(runs_ / file)); });
      if (config) run.facts.merge(*config);
    } catch (const std::exception& error) {
      if (run.why.empty()) run.why = error.what();
    }
  }

  void add_sweeps(StoreRun& run) const {
    const std::string& hash = text_fact(run.facts, "content_hash");
    if (const auto found = notes_.uses.find(hash); found != notes_.uses.end()) {
      run.uses = found->second;
      std::vector<std::string> names;
      for (const SweepUse& use : run.uses) names.push_back(use.sweep);
      run.facts[kSweeps] = std::move(names);
    }
    const auto excluded = notes_.exclusions.find(hash);
    if (excluded == notes_.exclusions.end()) return;
    run.exclusions = excluded->second;
    std::vector<std::string> sweeps;
    for (const SweepExclusion& each : run.exclusions) sweeps.push_back(each.sweep);
    run.facts["excluded"] = std::move(sweeps);
  }

  const fs::path& runs_;
  SweepNotes notes_;
  RunIndex index_;
};

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += (i == 0 ? " " : ", ") + escaped(names[i]);
  }
  if (names.size() > kMostNamed) {
    text += " and " + std::to_string(names.size() - kMostNamed) + " more";
  }
  return text;
}

}  // namespace

StoreRuns read_store(const fs::path& runs) {
  require_store(runs);
  return StoreReader(runs).read();
}

std::string find_run(const fs::path& runs, const std::string& text) {
  const std::vector<std::string> names = folder_names(runs);
  const auto is_there = [&](const std::string& name) {
    return std::binary_search(names.begin(), names.end(), name);
  };
  if (is_there(text)) return text;
  const fs::path path = fs::path(text).lexically_normal();
  const fs::path at = path.has_filename() ? path : path.parent_path();
  std::error_code none;
  if (at.has_parent_path() && fs::equivalent(at.parent_path(), runs, none) &&
      is_there(at.filename().string())) {
    return at.filename().string();
  }
  constexpr std::size_t kNameDigits = 12;
  const std::string part = is_hash(text) ? text.substr(0, kNameDigits) : text;
  std::vector<std::string> by_hash, by_name;
  for (const std::string& name : names) {
    const std::size_t dash = name.rfind('-');
    if (part.empty() || name.find(part) == std::string::npos) continue;
    by_name.push_back(name);
    if (dash != std::string::npos && name.find(part, dash + 1) != std::string::npos) {
      by_hash.push_back(name);
    }
  }
  const std::vector<std::string>& found = by_hash.empty() ? by_name : by_hash;
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    const std::string near = nearest(text, names);
    throw ConfigError(escaped(text) + ": no run of " + runs.string() + " is called so" +
                      (near.empty() ? "; `scalelaw runs list` names them"
                                    : "; did you mean " + escaped(near) + "?"));
  }
  throw ConfigError(escaped(text) + ": may be any of " + std::to_string(found.size()) +
                    " runs; give more of the name or of its hash:" + listed(found));
}

std::vector<StoreRun> choose(StoreRuns store, const fs::path& runs, const RunChoice& choice) {
  std::set<std::string> named, hashes;
  for (const std::string& text : choice.names) named.insert(find_run(runs, text));
  if (!choice.sweep.empty()) {
    const fs::path file = sweep_record_file(runs, choice.sweep);
    if (!fs::exists(file)) {
      throw ConfigError("--sweep " + escaped(choice.sweep) + ": " + file.string() +
                        " is not there");
    }
    for (const SweepCell& cell : read_sweep_record(file).cells) hashes.insert(cell.content_hash);
  }
  std::erase_if(store.runs, [&](const StoreRun& run) {
    if (!named.empty() && !named.contains(run.name)) return true;
    if (!choice.sweep.empty() && !hashes.contains(text_fact(run.facts, "content_hash")))
      return true;
    return !choice.where.matches([&](const std::string& key) { return fact_of(run.facts, key); });
  });
  return std::move(store.runs);
}

}  // namespace scalelaw
