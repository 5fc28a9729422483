// Checkpoints of one replica: a safetensors file with readable names, opened by Python's
// safetensors as it is.
//
//   model.<parameter>                 F32, the parameter's own shape
//   optimizer.first_moment.<parameter>, optimizer.second_moment.<parameter>
//   metadata: content_hash, updates_done, "cursor" (JSON)
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "models/parameter_arena.h"
#include "trainer/checkpoint_files.h"
#include "trainer/optimizers/adamw.h"
#include "trainer/run_record.h"
#include "trainer/training_cursor.h"

namespace scalelaw {

// A whole file that is no checkpoint of this run: of another shape, step, configuration or program.
class ForeignCheckpoint : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Writes checkpoints/step-<pack_step>.safetensors of arena row `replica`, then deletes all but the
// two newest. std::runtime_error (disk).
void write_checkpoint(const RunFolder& folder, const std::string& content_hash,
                      const TrainingCursor& cursor, const ParameterArena& arena,
                      const AdamW& optimizer, int64_t replica);
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
