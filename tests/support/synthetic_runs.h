// Run folders as training would leave them, with losses of our choosing: analysis can be tested
// before, and without, any training. Written through trainer/run_record.h.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

struct SyntheticRun {
  std::string arm = "transformer";
  std::string arch = "transformer";
  std::string folder;        // "": made of arm, width and seed
  std::string content_hash;  // "": made of all of it
  int64_t d_model = 16;
  int64_t n_head = 2;
  int64_t seed = 1;
  double loss_nats = 2.5;  // final, on every test set
  int64_t train_tokens = 2'500'608;
  int64_t unique_train_tokens = 0;  // 0: all of them
  double learning_rate = 0.01;
  std::string tokenizer_hash = "00112233445566778899aabbccddeeff";
  std::string train_hash = "0123456789abcdef0123456789abcdef";
  std::string test_token_hash = "fedcba9876543210fedcba9876543210";
  int64_t test_windows = 1024;
  std::vector<std::string> test_sets = {"default"};
  RunState state = RunState::kComplete;
  bool text_bytes_known = true;    // false: no bits per byte
  double bytes_a_token = 2.1;      // of the test sets' text
  bool split_tokens_known = true;  // false: as records of older programs, which have no text_bytes
  bool complete = true;            // false: no run.json
  bool started = true;             // false: no folder
  std::string started_at = "2026-01-02T03:04:05Z";
  int64_t evaluations = 0;  // while training, evenly spread over its steps; 0: eight a decade
  std::string prediction;   // that its cell waits for; "": not held out
  std::string predicted_test_set;
};

// The folder's name below `runs`.
std::string write_synthetic_run(const std::filesystem::path& runs, const SyntheticRun& run);
// All of them, and RUNS/sweeps/NAME.json naming their arms; that file's path.
std::filesystem::path write_synthetic_sweep(const std::filesystem::path& runs,
                                            const std::string& name,
                                            const std::vector<SyntheticRun>& cells);

// Two-layer Transformers and one-layer LSTMs of eight sizes each over two decades of N, two seeds
// at two sizes: measured losses of a small study at D = 2.5 M tokens.
std::vector<SyntheticRun> pilot_runs();

// Sizes of one arm on L = level (N / 1e4)^-slope with normal noise in ln L; `seeds` runs a size.
std::vector<SyntheticRun> power_law_runs(const std::string& arm, double level, double slope,
                                         double noise, int sizes, int seeds, unsigned random_seed);

}  // namespace scalelaw
