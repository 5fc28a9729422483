#include "sweeps/store/checkpoint_wishes.h"

#include <algorithm>
#include <stdexcept>

#include "sweeps/plan/reports.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMostNamed = 3;

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() <= kMostNamed) return text;
  return text + " and " + std::to_string(names.size() - kMostNamed) + " more";
}

}  // namespace

KeptCheckpoint kept_as_configured(const RunFolder& folder) {
  try {
    return read_run_config(folder.config()).how.keep;
  } catch (const std::runtime_error&) {  // `verify` says it
    return KeptCheckpoint::kWhole;
  }
}

KeptCheckpoint kept_as_asked(const StoreRun& run, const RunFolder& folder) {
  if (run.uses.empty()) return kept_as_configured(folder);
  KeptCheckpoint most = KeptCheckpoint::kNone;
  for (const SweepUse& use : run.uses) {
    most = std::min(most, use.keep ? *use.keep : kept_as_configured(folder));
  }
  return most;
}

void CheckpointWishes::note(const StoreRun& run, KeptCheckpoint less) {
  for (const SweepUse& use : run.uses) {
    if (use.sweep != sweep_ && use.keep && *use.keep < less) runs_[use.sweep].push_back(run.name);
  }
}

void CheckpointWishes::note_cut(const StoreRun& run, KeptCheckpoint to) {
  note(run, to);
}

void CheckpointWishes::note_kept(const StoreRun& run, KeptCheckpoint what) {
  for (const SweepUse& use : run.uses) {
    if (use.sweep == sweep_ && use.keep && what < *use.keep) return note(run, *use.keep);
  }
}

std::vector<std::string> CheckpointWishes::sentences(bool it_stays) const {
  std::vector<std::string> sentences;
  for (const auto& [sweep, runs] : runs_) {
    sentences.push_back("sweep " + sweep + " uses " +
                        counted(static_cast<int64_t>(runs.size()), "run") +
                        " of these and asks for more of " +
                        (runs.size() == 1 ? "its checkpoint" : "their checkpoints") +
                        (it_stays ? ", which stays" : "") + ": " + listed(runs));
  }
  return sentences;
}

}  // namespace scalelaw
