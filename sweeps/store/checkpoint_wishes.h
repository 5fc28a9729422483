// What should stay of a complete run's last checkpoint, by its configuration and by the sweeps that
// use it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sweeps/store/store_runs.h"
#include "trainer/run_record.h"

namespace scalelaw {

// how.keep of its config.yaml; whole where that cannot be read.
KeptCheckpoint kept_as_configured(const RunFolder& folder);
// The most that a sweep's record asks for; of one that does not say, and where no sweep uses the
// run, as configured.
KeptCheckpoint kept_as_asked(const StoreRun& run, const RunFolder& folder);

// Sweeps that want more of a run's checkpoint than the one that is cleaned.
class CheckpointWishes {
 public:
  explicit CheckpointWishes(std::string of_sweep) : sweep_(std::move(of_sweep)) {}  // "": of none

  void note_cut(const StoreRun& run, KeptCheckpoint to);
  // Where other sweeps' wishes keep more of it than the cleaned one's.
  void note_kept(const StoreRun& run, KeptCheckpoint what);
  std::vector<std::string> sentences(bool it_stays) const;

 private:
  void note(const StoreRun& run, KeptCheckpoint less);

  std::string sweep_;
  std::map<std::string, std::vector<std::string>> runs_;  // by sweep
};

}  // namespace scalelaw
