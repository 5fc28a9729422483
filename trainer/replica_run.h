// One replica's run folder while it trains: the lease, this attempt's files, the cursor, and the
// end. The pack (trainer/pack.h) trains; this keeps its books.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/attempt_cost.h"
#include "trainer/checkpoint.h"
#include "trainer/evaluate.h"
#include "trainer/leftovers.h"
#include "trainer/line_file.h"
#include "trainer/run_config.h"
#include "trainer/run_identity.h"
#include "trainer/run_lease.h"
#include "trainer/run_record.h"

namespace scalelaw {

class ReplicaRun {
 public:
  // Who writes: rank 0 of the processes that share a run; the others follow it and leave nothing.
  enum class Books { kKept, kLeftToRankZero };

  // Takes the folder, where it keeps the books (ConfigError when another process has it, or when it
  // holds another configuration). Writes nothing but the lease yet.
  explicit ReplicaRun(RunIdentity identity, Books books = Books::kKept);

  // Opens this attempt at cursor.step: attempt file, config.yaml, metrics part, cost file. `share`:
  // of its pack's processor time; `company` of its process. Of how.keep here and in the config.yaml
  // of an earlier attempt, which another sweep may have begun, the one that keeps more holds from
  // now on.
  void begin_attempt(TrainingCursor at, const Provenance& provenance, double share,
                     const Company& company = {});

  bool keeps_books() const { return books_ == Books::kKept; }
  bool training() const { return state_ == State::kTraining; }
  int64_t steps() const { return steps_; }
  const RunConfig& config() const { return identity_.config; }
  const std::string& content_hash() const { return identity_.content_hash; }
  const RunFolder& folder() const { return identity_.folder; }

  TrainingCursor cursor;  // of the last update done

  // After an update: the means, and whether a line is due.
  void account(double loss_nats, double grad_norm);
  void account_noise(const NoiseMoments& measured);  // where that update was measured
  bool line_due() const;
  int64_t next_line() const;  // the first step after this one at which a line is due
  // Before each publishing; notes what the attempt has cost, too. LostLease when another process
  // has taken the folder over, std::runtime_error when it was removed or moved while running.
  void check_folder() const;
  // This attempt's lines: synced before a checkpoint, so that none before it can be lost.
  LineFile& metrics() { return *metrics_; }
  // LostLease where the last heartbeat or check_folder() saw that; costs nothing.
  void check_not_lost() const;
  bool is_lost() const { return lease_ && lease_->is_lost(); }
  // A line that finds the disk full waits in memory (trainer/line_file.h).
  void write_line(double learning_rate, const std::map<std::string, double>& test_loss_nats);

  // Ends the run: window losses, then run.json, last. `results` empty: diverged.
  // `facts` holds what the members of a pack share (shape, counts, data) and the last events.
  // LostLease, with nothing written, where another process has the folder or has completed the run.
  // What is left to say of a run that has ended: why more of its checkpoint stays than how.keep
  // asks for; "" mostly.
  std::string finish(RunState state, const std::map<std::string, WindowScores>& results,
                     const RunRecord& facts, int row);
  // What the attempt's cost file says of its end where the run has not: "interrupted", "failed".
  void close_costs(const std::string& end);

 private:
  enum class State { kTraining, kEnded };
  // As how.keep says, once run.json is there; fails no run. As finish().
  std::string keep_checkpoint() const;

  RunIdentity identity_;
  Books books_;
  double taken_at_ = 0;  // monotonic seconds
  std::unique_ptr<RunLease> lease_;
  Leftovers leftovers_;  // seen once the lease was there
  std::unique_ptr<CostBook> costs_;
  std::vector<Attempt> attempts_;
  std::unique_ptr<LineFile> metrics_;
  State state_ = State::kTraining;
  int64_t steps_ = 0;
  int64_t log_every_ = 1;
  double wall_seconds_at_line_ = 0;
  int64_t step_at_line_ = 0;
};

}  // namespace scalelaw
