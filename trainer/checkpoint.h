// Checkpoints of one replica: a safetensors file with readable names, opened by Python's
// safetensors as it is.
//
//   model.<parameter>                 F32, the parameter's own shape
//   optimizer.first_moment.<parameter>, optimizer.second_moment.<parameter>
//   metadata: content_hash, updates_done, "cursor" (JSON)
//
// Of a complete run it may hold model.* alone (trainer/kept_checkpoint.h).
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/parameter_arena.h"
#include "trainer/checkpoint_files.h"
#include "trainer/line_file.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/run_record.h"
#include "trainer/training_cursor.h"

namespace scalelaw {

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
  std::function<void()> check;     // that the folder is still ours: called from the writing thread
  std::array<at::Tensor, 3> rows;  // (P) float32 on the CPU: values, first and second moments
  LineFile* metrics = nullptr;     // its lines, which must be on the disk before; null: none
};

// What lies in `state`, of the arena's shape (R, P) each, of row `replica`; copied where it is not
// on the CPU.
std::array<at::Tensor, 3> rows_of(const std::array<at::Tensor, 3>& state, int64_t replica);
// Values, first and second moments: (R, P) each.
std::array<at::Tensor, 3> state_of(const ParameterArena& arena, const AdamW& optimizer);

// One step's checkpoints of a pack. A pack goes on from a step that all its members have: none of
// them gives up an older one before each has the new.
class CheckpointRound {
 public:
  // Syncs the lines, then writes checkpoints/step-<pack_step>.safetensors. DiskFull
  // (trainer/disk_space.h) of either, having taken back what this round has made, or
  // std::runtime_error; older ones stay in either case.
  void write(const CheckpointContent& content, const std::vector<ParameterSpec>& specs);
  // Once all are written: deletes all but each member's two newest.
  void end() const;

 private:
  struct Written {
    RunFolder folder;
    std::function<void()> check;
    std::filesystem::path made;  // "": was there before
  };
  std::vector<Written> written_;
};
// Keeps a file that was passed over out of the way, as NAME.rejected, until the run has ended.
void set_aside(const std::filesystem::path& checkpoint);
// Deletes all in checkpoints/ but the checkpoint of `step`: of a run that has ended.
void keep_only_checkpoint(const RunFolder& folder, int64_t step);

// The cursor alone. Errors as read_checkpoint.
TrainingCursor read_cursor(const std::filesystem::path& file);

// Fills row `replica` from a file. DamagedFile (trainer/safetensors.h) or ForeignCheckpoint name
// file and fault; nothing is changed then.
TrainingCursor read_checkpoint(const std::filesystem::path& file, const std::string& content_hash,
                               ParameterArena& arena, AdamW& optimizer, int64_t replica);

}  // namespace scalelaw
