// What the loss of held-out runs will be, written down before they start and never again:
// RUNS/predictions/NAME.json. Analysis writes and scores it (`scalelaw predict`), a sweep starts a
// held-out cell once it is there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

inline constexpr int kPredictionVersion = 1;
inline constexpr const char* kPredictionsFolder = "predictions";  // below RUNS; no run's name

struct LawConstant {
  std::string symbol;  // "E", "A", "alpha"
  double value = 0;
  bool operator==(const LawConstant&) const = default;
};

struct PredictingLaw {
  std::string id;       // "power", "power_floor", "chinchilla"
  std::string formula;  // "L = E + A N^-alpha"
  std::string over;     // of which runs: "D = 2.5M tokens"
  std::vector<LawConstant> constants;
  bool operator==(const PredictingLaw&) const = default;
};

struct PredictedCell {
  std::string content_hash, folder;  // as in the sweep's record
  std::string arm;                   // whose laws; the architecture's name where there are no arms
  double n = 0, d = 0;               // by the prediction's n_count; training tokens
  double loss = 0, low = 0,
         high = 0;  // of this one run, in the metric's unit; the level's interval
  // Never empty: the first one gives the loss, the interval covers what each of them allows.
  std::vector<PredictingLaw> laws;
  std::string why;                // the first law, in words
  std::vector<std::string> runs;  // content hashes of those that the laws were fitted to
  double beyond =
      1;             // the larger of N and D over the largest of those runs: at most 1, within them
  int64_t seen = 0;  // of those runs, of its own N and D: above 0 it is no extrapolation
  // In what more than size, horizon, rate and seeds it differs from those runs, in words: "has
  // train.batch_tokens 4096 (they 2048)". "": in nothing that is known.
  std::string other_recipe = {};
  bool operator==(const PredictedCell&) const = default;
};

struct UsedRun {
  std::string content_hash, folder;
  bool operator==(const UsedRun&) const = default;
};

// A run of the sweep that no law was fitted to, or that is not predicted.
struct UnusedRun {
  std::string folder, reason;
  bool operator==(const UnusedRun&) const = default;
};

struct Prediction {
  int version = kPredictionVersion;
  std::string name;
  std::string sweep;          // whose held-out cells
  std::string registered_at;  // ISO 8601, UTC: "2026-01-31T12:00:00Z"
  std::string n_count;        // "non_embedding", ...
  std::string test_set, metric;
  double level = 0.95;
  std::vector<UsedRun> runs;  // all that some cell's laws were fitted to
  std::vector<UnusedRun> left_out;
  std::vector<PredictedCell> cells;  // never empty; each content hash once
  // nullptr: it predicts nothing of that run.
  const PredictedCell* find(std::string_view content_hash) const;
  bool operator==(const Prediction&) const = default;
};

// RUNS/predictions/NAME.json
std::filesystem::path prediction_file(const std::filesystem::path& runs, std::string_view name);

// Whole or not at all, and over none: false, changing nothing, where one of that name is there.
bool publish_prediction(const std::filesystem::path& runs, const Prediction& prediction);
// nullopt where none of that name is registered. std::runtime_error where the file cannot be read.
// ConfigError names the file, the field, the fault and the remedy: no JSON, another version,
// another name than the file's, a field missing or of another type, a folder that is a path, no
// cells or one of them twice, a registered_at that is no time, an interval that does not hold its
// loss, a text that is not the one that was registered (record_hash). Unknown keys are ignored.
std::optional<Prediction> find_prediction(const std::filesystem::path& runs, std::string_view name);
// By name. What is wrong with those that cannot be read is appended to `faults`.
std::vector<Prediction> predictions_of_store(const std::filesystem::path& runs,
                                             std::vector<std::string>& faults);
// Of such a file's text, as it was registered. std::runtime_error with what is wrong, as above.
Prediction registered_prediction_from_json(std::string_view text);
// Whose hash is not asked about.
Prediction prediction_from_json(std::string_view text);
// With the hash of itself as its last key (with_record_hash() of trainer/run_digests.h).
std::string to_json(const Prediction& prediction);

}  // namespace scalelaw
