// What each attempt at a run has cost, whatever became of it: FOLDER/cost.0001.json, one file an
// attempt, written by that attempt alone at each heartbeat (trainer/heartbeat.h) and before each
// checkpoint. A kill -9 loses what came after the last one. The ledger of a run is the sum of its
// files; nothing is shared.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "trainer/heartbeat.h"
#include "trainer/run_record.h"

namespace scalelaw {

// How many processes a launcher has at work once it has started the attempt's and what it starts
// together with it, that one included.
struct Company {
  static constexpr int64_t kMost = int64_t{1} << 20;
  int64_t on_gpu = 1;      // its GPU
  int64_t on_machine = 0;  // >= on_gpu; 0: nobody has said
};

struct AttemptCost {
  int number = 1;            // of the attempt
  int64_t first_step = 0;    // updates already done when it began
  int64_t steps = 0;         // updates that it made
  int64_t train_tokens = 0;  // in them
  double wall_seconds = 0;   // since the folder was taken
  double core_seconds = 0;   // wall_seconds x threads x ranks, shared among the pack's runs
  double gpu_seconds = 0;    // the same of GPUs; one of the two is 0
  double peak_bytes = 0;     // that its process held in the machine's memory; 0: not known, and
                             // where other runs were in it
  std::string end = {};      // "complete", "diverged", "interrupted", "failed", "lost"; "": is
                             // running, or was killed
  Company company = {};      // what the GPU's and the machine's time was shared with
  bool is_known = true;      // false: its file cannot be read, and its number is from the name
  int64_t last_step() const { return first_step + steps; }
};

std::filesystem::path cost_file(const RunFolder& folder, int attempt);
// In order, one a file.
std::vector<AttemptCost> read_costs(const RunFolder& folder);

struct RunLedger {
  int64_t attempts = 0;
  int64_t unknown = 0;       // of them, those whose cost cannot be read: in none of the sums
  int64_t train_tokens = 0;  // trained, the same ones again included
  double wall_seconds = 0, core_seconds = 0, gpu_seconds = 0;
  // Of attempts that know their company: their part of the time of cores and GPUs, and of the
  // machine's. Then what the others have of core_seconds and gpu_seconds.
  double device_seconds = 0, machine_seconds = 0;
  double undivided_core_seconds = 0, undivided_gpu_seconds = 0;
  double peak_bytes = 0;      // the most of any attempt; 0: not known
  int64_t wasted_tokens = 0;  // of them, those that had to be trained again, or will have to
  // The seconds that went with wasted_tokens, in proportion.
  double wasted_core_seconds = 0, wasted_gpu_seconds = 0;

  void add(const RunLedger& other);
};
// `kept_step`: as far as the run has come that need not be trained again. Where the last attempt's
// cost is unknown nothing is called wasted.
RunLedger ledger_of(const std::vector<AttemptCost>& costs, int64_t kept_step);

// The attempt's own, while it lives.
class CostBook {
 public:
  struct Share {
    double cores = 0, gpus = 0;  // what this run has of the machine, its share of its pack
    bool is_alone = true;        // in its process
  };
  // `started_at`: monotonic seconds.
  CostBook(const RunFolder& folder, AttemptCost begun, int64_t batch_tokens, const Share& share,
           double started_at);
  void count_step() { ++steps_; }
  // Now: before a checkpoint, so that no step that is kept is missing in the ledger. May be called
  // from any thread.
  void note();
  // Once, with an end that is not ""; what is noted afterwards changes nothing. Never throws: a run
  // does not fail for it.
  void close(const std::string& end);

 private:
  void write(const std::string& end);

  std::filesystem::path file_;
  AttemptCost begun_;
  int64_t batch_tokens_;
  Share share_;
  double started_at_;
  std::mutex writing_;
  bool is_closed_ = false;  // under the mutex
  std::atomic<int64_t> steps_{0};
  std::optional<Heartbeat> heartbeat_;
};

}  // namespace scalelaw
