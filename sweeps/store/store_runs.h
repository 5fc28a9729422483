// The runs of a store, each with what is known of it, and a choice among them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/status/cell_status.h"
#include "sweeps/status/run_facts.h"
#include "trainer/cell_exclusion.h"
#include "trainer/run_config.h"

namespace scalelaw {

// A sweep whose record names a run.
struct SweepUse {
  std::string sweep;
  // What it asked to stay of the run's checkpoint when it last ran; nullopt: not known.
  std::optional<KeptCheckpoint> keep;
};

struct StoreRun {
  std::string name;  // of its folder below the store
  CellState state = CellState::kMissing;
  // Of run.json and config.yaml, and its place: name, state, sweeps, excluded, step.
  RunFacts facts;
  std::string why;                         // running, failed, diverged: in words
  std::vector<SweepUse> uses;              // by name of the sweep
  std::vector<SweepExclusion> exclusions;  // of it, by name of the sweep
};

struct StoreRuns {
  std::vector<StoreRun> runs;         // by name
  std::vector<std::string> warnings;  // a sweep's record or exclusions that cannot be read
};

// The folders of RUNS that hold a run, or the beginning of one. Goes through the store's index and
// writes what it lacked; takes no lock. ConfigError when there is no such store.
StoreRuns read_store(const std::filesystem::path& runs);

// Which runs a verb is about: those that are named, of one sweep, and that a filter lets pass; of
// what is left empty all.
struct RunChoice {
  std::vector<std::string> names;  // as find_run
  std::string sweep;               // the name of one whose record lies in the store
  RunFilter where;
};
// In the store's order. ConfigError: a name of no run or of several, a sweep of no record.
std::vector<StoreRun> choose(StoreRuns store, const std::filesystem::path& runs,
                             const RunChoice& choice);

// The folder's name of the run that `text` means: that name, its path, its content hash, or any
// part of them that no other run has. ConfigError names the runs it may mean, or the nearest.
std::string find_run(const std::filesystem::path& runs, const std::string& text);

}  // namespace scalelaw
