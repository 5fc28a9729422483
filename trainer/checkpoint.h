// Checkpoints of one replica: a safetensors file with readable names, opened by Python's
// safetensors as it is.
//
//   model.<parameter>                 F32, the parameter's own shape
//   optimizer.first_moment.<parameter>, optimizer.second_moment.<parameter>
//   metadata: content_hash, updates_done, "cursor" (JSON)
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/parameter_arena.h"
#include "trainer/checkpoint_files.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/run_record.h"

namespace scalelaw {

// A mean in the making; kept in checkpoints so that a resumed run logs what an undisturbed one
// does.
struct RunningMean {
  double sum = 0;
  int64_t count = 0;
  void add(double value) { sum += value, ++count; }
  double value() const { return sum / static_cast<double>(count); }
};

// What a run must remember besides weights and moments. Everything else is a function of the
// configuration and the step.
struct TrainingCursor {
  int64_t step = 0;      // updates done; the next batch's number
  std::string diverged;  // why the update after them was not made, until the run's end is recorded
  int64_t lag = 0;       // of a diverged run: steps that its pack has taken since `step`
  RunningMean loss_since_line;      // train loss since the last line of metrics
  RunningMean loss_last_tenth;      // over the last tenth of the steps
  std::optional<double> grad_norm;  // of the last update, before clipping
  double wall_seconds = 0;          // of all attempts
  double evaluate_seconds = 0, checkpoint_seconds = 0;
  double final_evaluate_seconds = 0;  // of this attempt: after the last checkpoint
  std::vector<RunEvent> events;
  std::vector<std::string> pack;  // content hashes of the members, by row

  // Where its pack stands, by which its checkpoint is named.
  int64_t pack_step() const { return step + lag; }
};

// As a checkpoint holds it, but for final_evaluate_seconds.
std::string to_text(const TrainingCursor& cursor);
TrainingCursor cursor_from_text(const std::string& text);

// A whole file that is no checkpoint of this run: of another shape, step, configuration or program.
class ForeignCheckpoint : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What one replica's checkpoint is made of.
struct CheckpointContent {
  RunFolder folder;
  std::string content_hash;
  TrainingCursor cursor;
  int64_t updates_done = 0;
  std::array<at::Tensor, 3> rows;  // (P) float32 on the CPU: values, first and second moments
};

// What lies in `state`, of the arena's shape (R, P) each, of row `replica`; copied where it is not
// on the CPU.
std::array<at::Tensor, 3> rows_of(const std::array<at::Tensor, 3>& state, int64_t replica);
// Values, first and second moments: (R, P) each.
std::array<at::Tensor, 3> state_of(const ParameterArena& arena, const AdamW& optimizer);

// Writes checkpoints/step-<pack_step>.safetensors, then deletes all but the two newest. DiskFull
// (trainer/disk_space.h) or std::runtime_error; those that are there stay then.
void write_checkpoint(const CheckpointContent& content, const std::vector<ParameterSpec>& specs);
// Keeps a file that was passed over out of the way, as NAME.rejected, until the run has ended.
void set_aside(const std::filesystem::path& checkpoint);
// Deletes all in checkpoints/ but the checkpoint of `step`: of a run that has ended.
void keep_only_checkpoint(const RunFolder& folder, int64_t step);
// Deletes those after `step`: of a history that is begun again from there.
void drop_checkpoints_after(const RunFolder& folder, int64_t step);

// The cursor alone. Errors as read_checkpoint.
TrainingCursor read_cursor(const std::filesystem::path& file);

// Fills row `replica` from a file. DamagedFile (trainer/safetensors.h) or ForeignCheckpoint name
// file and fault; nothing is changed then.
TrainingCursor read_checkpoint(const std::filesystem::path& file, const std::string& content_hash,
                               ParameterArena& arena, AdamW& optimizer, int64_t replica);

}  // namespace scalelaw
