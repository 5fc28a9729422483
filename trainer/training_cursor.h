// Where a run's training stands: what its checkpoint holds beside weights and moments, as JSON
// text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  RunningMean loss_since_line;  // train loss since the last line of metrics
  RunningMean grad_sq_norm_since_line, grad_noise_since_line;  // trainer/noise_scale.h
  RunningMean loss_last_tenth;                                 // over the last tenth of the steps
  std::optional<double> grad_norm;  // of the last update, before clipping
  double wall_seconds = 0;          // of all attempts
  double evaluate_seconds = 0, checkpoint_seconds = 0;
  double final_evaluate_seconds = 0;  // of this attempt: after the last checkpoint
  std::vector<RunEvent> events;
  std::vector<std::string> pack;  // content hashes of the members, by row

  // A line of metrics has been written: its means begin anew.
  void begin_line() { loss_since_line = grad_sq_norm_since_line = grad_noise_since_line = {}; }
  // Where its pack stands, by which its checkpoint is named.
  int64_t pack_step() const { return step + lag; }
};

// As a checkpoint holds it, but for final_evaluate_seconds.
std::string to_text(const TrainingCursor& cursor);
// std::runtime_error says what is wrong with a text that is no cursor.
TrainingCursor cursor_from_text(const std::string& text);

}  // namespace scalelaw
