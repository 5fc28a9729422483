// `scalelaw runs clean`: what no result depends on, off the disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/store/store_runs.h"

namespace scalelaw {

enum class KeepCheckpoints { kAsConfigured, kAsked, kNone, kWeights, kLast, kAll };

struct CleanOptions {
  // Of complete runs. As configured: how.keep of their config.yaml. As asked: what the records of
  // the sweeps that use a run ask for, of several the most; where one does not say, or none uses
  // it, config.yaml counts; where a record is `unread`, all of them stay. A run that diverged keeps
  // its newest two but for none and all.
  KeepCheckpoints keep = KeepCheckpoints::kAsConfigured;
  std::string sweep = {};  // whose runs these are; its own wishes are not told; "": of no one sweep
  std::vector<std::string> unread = {};  // why a sweep's record could not be read
  bool logs = false;                     // of those runs too
  bool store = true;                     // what lies beside the runs too
  bool dry_run = false;
};

struct Removal {
  std::string file;  // below the store
  uint64_t bytes = 0;
  bool weights_stay = false;  // of a checkpoint
};

struct CleanResult {
  std::vector<Removal> removed;  // or would be; of a checkpoint perhaps all but its weights
  // Sentences: what was asked and not done, of runs that are running, of files that stayed.
  std::vector<std::string> left;
  // Sentences: sweeps that want more of these runs than was asked to stay.
  std::vector<std::string> notes;
  uint64_t bytes() const;
};

// Of a run with its result: checkpoints as `keep` says, none but a newest one that is whole at the
// cost of older ones, and, whatever it says, those set aside
// (.rejected, before.0001/checkpoints), drafts that a crash left, with `logs` what its trainer
// printed. Of another run its drafts. In the store, and among its predictions: drafts older than an
// hour, and what an import left aside more than a day ago. Records, metrics, window losses and
// configurations stay, those in before.0001/ too, and so does every file of a run that a process
// holds; each run is held while it is cleaned. std::runtime_error: the disk.
CleanResult clean_runs(const std::filesystem::path& runs, const std::vector<StoreRun>& chosen,
                       const CleanOptions& options);

std::string clean_text(const CleanResult& result, bool dry_run);  // for a terminal
std::string clean_json(const CleanResult& result);

}  // namespace scalelaw
