// One line of metrics (docs/run-folder.md); trainer/run_record.h reads and writes it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace scalelaw {

struct MetricsRow {
  int64_t step = 0;                       // updates done
  int64_t train_tokens = 0;               // seen so far
  std::optional<double> train_loss_nats;  // mean over the steps since the line before
  std::optional<double> learning_rate;    // of the last of those steps
  std::optional<double> grad_norm;        // before clipping, of the last of those steps
  // Means of those measurements since the line before that there were, and their ratio where it is
  // one (trainer/noise_scale.h).
  std::optional<int64_t> noise_measurements;
  std::optional<double> grad_sq_norm, grad_noise_tokens, noise_scale_tokens;
  double wall_seconds = 0;  // training time of all attempts so far, evaluation included
  std::optional<double> tokens_per_second;
  std::map<std::string, double> test_loss_nats;  // test set -> mean loss; empty between evaluations
};

}  // namespace scalelaw
