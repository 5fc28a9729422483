// A pack: R runs of one shape trained side by side in one process; R = 1 is a single run, the same
// code. The pack owns model, arena, optimizer and data; each ReplicaRun owns its folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/language_model.h"
#include "models/parameter_arena.h"
#include "trainer/checkpoint_writer.h"
#include "trainer/data/batch_stream.h"
#include "trainer/data/token_shard.h"
#include "trainer/device_step.h"
#include "trainer/evaluate.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/pack_options.h"
#include "trainer/parallel/gradient_mean.h"
#include "trainer/replica_run.h"
#include "trainer/step.h"
#include "trainer/step_choice.h"

namespace scalelaw {

class Pack {
 public:
  // Checks everything first (data, shapes, that the configurations can share a pack; ConfigError),
  // then takes the folders, builds the model and resumes from the newest step that every member
  // still to be trained has. Members that are complete already are left out; the pack may be empty.
  Pack(std::vector<RunConfig> configs, PackOptions options);

  bool keeps_books() const { return options_.ranks->rank() == 0; }  // else it leaves no file
  bool finished() const;                                            // no member is still training
  int64_t step() const { return step_; }
  int64_t last_step() const;  // of the member with the longest horizon
  int64_t replicas() const { return arena_.replicas(); }
  std::string description() const;  // of what is computed at once, for messages

  // Whether to stop here, the same on every rank: `stop` of this process where it is alone, of any
  // as it was one step ago where it is not.
  bool stop_agreed(bool stop);
  // One update of every member still training; a member whose loss or gradient is not finite is
  // marked diverged, its folder is closed and its row frozen. LostRank leaves the pack as it was.
  void train_one_step();
  // The same update by update, several on the device before the host looks, none beyond `step` or a
  // member's horizon. At least one.
  void train_towards(int64_t step);
  // Records the end of the members that diverged: after an update, and where an attempt before
  // could not.
  void end_diverged_members();
  const StepResult& last_result() const { return result_; }
  double learning_rate(int64_t replica) const;  // of the last update

  // Mean test losses of each replica now, [set name] -> loss; costs evaluate.tokens a set.
  std::vector<std::map<std::string, double>> test_losses();
  // Where a member's horizon is reached: a checkpoint of all that train (they go on from a common
  // step), the final evaluation and run.json of those that are at theirs. Once `stop` is set the
  // evaluation is left where it is and those members stay unfinished, at their horizon.
  void finish_members_at_horizon(const std::atomic<bool>& stop);
  // A checkpoint of every member still training.
  void write_checkpoints();
  // The same beside training, where how.checkpoint_every_seconds is not 0: begun, and ended once it
  // is written, or earlier by waiting. A full disk is noted, other faults are thrown. Ending gives
  // its cost: seconds that training was held and that the writing computed.
  void begin_checkpoints();
  bool checkpoints_are_written() const;
  double end_checkpoints();
  // The same when something has failed (data, a test set, a disk), after the end of what is being
  // written: never throws, so that the first fault is the one told. Nothing more is written where
  // it failed within an update, nor of a member whose folder another process has taken over.
  void save_before_leaving();
  // LostLease where another process has taken over the folder of a member that trains, as far as
  // the last heartbeat saw.
  void check_leases() const;
  // How the attempts of the members still training end, for their cost files.
  void close_costs(const std::string& end);
  // Wall time since the last call goes to the cursors.
  void advance_clock();

  std::vector<ReplicaRun>& members() { return members_; }
  const std::vector<ReplicaRun>& members() const { return members_; }

 private:
  void open_data(const RunIdentity& identity);
  std::vector<RunIdentity> incomplete(std::vector<RunIdentity> identities) const;
  void take_folders(const std::vector<RunIdentity>& identities);
  void build(const std::vector<RunIdentity>& identities);
  void follow_rank_zero();
  void check_ranks_agree();
  void fit_memory(const std::vector<RunIdentity>& identities);
  void write_checkpoints(const std::function<bool(const ReplicaRun&)>& of_member);
  CheckpointContent content_of(std::size_t r);
  void resume();
  void set_aside_rejected(const std::vector<std::vector<RunEvent>>& rejected) const;
  void start_afresh();
  bool restore_at(int64_t step, std::vector<std::vector<RunEvent>>& rejected, std::string& foreign);
  void load_batch();
  double learning_rate_of(std::size_t r, int64_t step) const;
  void note_attention() const;
  void choose_step();
  int64_t steps_at_once(int64_t until) const;
  StepPlan plan_of(int64_t step) const;
  NoiseMoments noise_of(const StepResult& result, std::size_t r) const;
  void account(const StepResult& result);
  void end_diverged(std::size_t r, int64_t step, const std::string& detail);
  Evaluator evaluator_of(const TestSet& set);
  RunRecord facts_of(const ReplicaRun& member) const;

  PackOptions options_;
  ModelShape shape_;
  std::unique_ptr<TokenShard> train_;
  std::vector<TestSet> test_sets_;
  RunRecord facts_;  // what every member's record shares
  ParameterArena arena_;
  std::unique_ptr<LanguageModel> model_;
  std::unique_ptr<AdamW> optimizer_;
  std::unique_ptr<GradientMean> over_ranks_;  // null: alone
  std::vector<BatchStream> streams_;
  std::vector<ReplicaRun> members_;
  std::unique_ptr<CheckpointWriter> writer_;  // null: none beside training
  double held_seconds_ = 0;                   // by what it began last
  at::Tensor inputs_, targets_;               // (R, B, T) on the CPU, B this rank's windows
  StepChoice choice_;                         // how much of them is computed at once
  double memory_left_ = 0;                    // beside a step so computed
  std::unique_ptr<DeviceStep> device_step_;   // null: the eager step
  // By set, where steps are made on the device.
  std::map<std::string, std::unique_ptr<DeviceScores>> device_scores_;
  std::vector<std::string> refusals_;  // of faster steps than the one taken, for the records
  double seconds_a_step_ = 0;          // on the device, as the last window took; 0: not yet
  StepResult result_;
  int64_t step_ = 0;
  bool updating_ = false;  // an update has begun: weights and moments may be of no step
  at::Tensor stop_flags_;  // (1) int64: how many ranks were to stop
  std::unique_ptr<RankGroup::Pending> stop_sum_;
  bool evaluation_stopped_ = false;
  double clock_ = 0;  // monotonic seconds at the last advance_clock
};

}  // namespace scalelaw
