// `scalelaw runs verify`: is what the store keeps of its runs whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/store/store_runs.h"

namespace scalelaw {

struct RunFault {
  std::string run;
  std::string file;    // below the run's folder; "" the whole
  std::string what;    // is wrong
  std::string remedy;  // what to do
};

struct VerifyResult {
  std::vector<RunFault> faults;             // by run
  std::vector<std::string> running;         // not looked at: their files change
  uint64_t runs = 0, files = 0, bytes = 0;  // read
};

// Reads every file of every run: safetensors with their hashes, run.json and attempts, the
// configuration against the content hash of run.json, of the attempts, of checkpoints and of the
// folder's name, metrics up to the last step and against the attempts' parts, run.json and results
// against their recorded hashes (trainer/run_digests.h), losses against what they are computed from
// (sweeps/store/recomputed.h). Never through the index; writes nothing.
VerifyResult verify_runs(const std::filesystem::path& runs, const std::vector<StoreRun>& chosen);

std::string verify_text(const VerifyResult& result);  // for a terminal: names are escaped
std::string verify_json(const VerifyResult& result);

}  // namespace scalelaw
