// The run folder: the contract between training, sweeps and analysis. docs/run-folder.md is its
// prose; this file its only reader and writer. No LibTorch.
//
//   config.yaml              the resolved configuration; written first
//   attempts/0001.json       who ran, where, from which step; one an attempt
//   cost.0001.json           what that attempt has cost (trainer/attempt_cost.h)
//   metrics.0001.jsonl       lines of that attempt; a later attempt overrides after its first step
//   checkpoints/step-000000000512.safetensors   the two newest while running, then as how.keep says
//   metrics.jsonl            all attempts merged; written when complete
//   window_losses.safetensors  final loss of every test window, for paired comparisons
//   run.json                 written aside, synced, linked last: present means complete
//
// Units are in the key names: _nats (natural log, per token), _tokens, _seconds.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/model_shape.h"
#include "trainer/metrics_row.h"
#include "trainer/noise_scale.h"

namespace scalelaw {

inline constexpr int kRunFolderVersion = 1;

// Mean loss at window positions [first, last], counted from 0 (position 0 predicts token 1).
struct PositionBin {
  int64_t first = 0, last = 0;
  double loss_nats = 0, standard_error_nats = 0;  // over windows
};

// The final evaluation on one test set. Every run reads the same windows.
struct TestResult {
  std::string token_hash;  // of the test split: results pair only where it is equal
  int64_t tokens = 0;      // predicted
  int64_t windows = 0;
  double loss_nats = 0;
  double standard_error_nats = 0;        // over windows: spread of text, not of seeds
  double bits_per_byte = 0;              // loss / ln 2 * tokens / bytes of the split's text
  double top1_accuracy = 0;              // share
  std::vector<PositionBin> by_position;  // log-spaced bins
  // Of the whole split, absent in old records; bytes of its text, absent where they are not known.
  std::optional<int64_t> split_tokens = {}, text_bytes = {};
};

// As its loss, split_tokens and text_bytes give; NaN where one of them is not known.
double bits_per_byte(const TestResult& result);

enum class RunState { kComplete, kDiverged };

// Something that bears on whether two runs can be expected to be equal.
struct RunEvent {
  std::string kind;  // "resumed", "restarted", "moved", "repacked", "checkpoint_rejected",
                     // "diverged", "step_refused"
  int64_t step = 0;
  std::string detail;
};

struct Provenance {
  std::string program_version, git_commit;
  bool git_dirty = false;
  std::string torch_version, cuda_version, device, host, started_at;  // ISO 8601, UTC
  std::string instruction_set;  // of the CPU, as LibTorch chose: "AVX512"
  int threads = 1;
  int64_t micro_batch_tokens = 0;        // computed at once; 0, in old records: the whole batch
  std::optional<bool> recompute = {};    // blocks ran again in backward
  std::optional<std::string> step = {};  // "eager", "device" or "graph"; absent: eager
  std::optional<int> ranks = {};         // processes that shared every batch; absent: one
};

struct Attempt {
  int number = 1;
  std::string token;         // 32 hex digits, drawn at random
  std::string content_hash;  // of the run it works on
  int64_t first_step = 0;    // updates already done when it began
  Provenance provenance;
};

// run.json
struct RunRecord {
  int version = kRunFolderVersion;
  RunState state = RunState::kComplete;
  std::string content_hash;
  std::string recipe_hash;  // content hash with both seeds at their defaults: equal for replicates
  ModelShape shape;         // n_vocab filled in
  ModelCounts counts;
  int64_t steps = 0, train_tokens = 0, unique_train_tokens = 0;
  int64_t batch_tokens = 0;
  double learning_rate = 0;
  int64_t seed_init = 0, seed_data = 0;
  std::string train_set, train_hash, tokenizer_hash;  // name; tokens; tokenizer
  double final_train_loss_nats =  // mean over the last tenth of the steps; NaN when the
      std::numeric_limits<double>::quiet_NaN();  // run ended before them
  std::map<std::string, TestResult> test;        // empty when diverged
  std::optional<NoiseScale> noise_scale;         // over the last half of the steps
  double wall_seconds = 0;                       // all attempts
  double evaluate_seconds = 0, checkpoint_seconds = 0;
  std::optional<double> final_evaluate_seconds;  // absent: diverged
  std::vector<std::string> pack;  // content hashes of the pack's members; size 1: alone
  int pack_row = 0;
  std::vector<RunEvent> events;
  std::vector<Attempt> attempts;
  // Results beside it to their digests (trainer/run_digests.h), as publish() found them.
  std::optional<std::map<std::string, std::string>> files = {};
};

struct RunFolder {
  std::filesystem::path path;
  std::filesystem::path config() const { return path / "config.yaml"; }
  std::filesystem::path record() const { return path / "run.json"; }
  std::filesystem::path merged_metrics() const { return path / "metrics.jsonl"; }
  std::filesystem::path checkpoints() const { return path / "checkpoints"; }
  std::filesystem::path attempts() const { return path / "attempts"; }
  std::filesystem::path window_losses() const { return path / "window_losses.safetensors"; }
  std::filesystem::path metrics_part(int attempt) const;
  std::filesystem::path attempt_file(int attempt) const;
};

// A number that is not finite is null in JSON and NaN when read back.
// Readers throw ConfigError naming the file, what is wrong with it and what to do when it is
// damaged or of another version, std::runtime_error when it cannot be read. Unknown keys are
// ignored, so that an older program reads a newer folder of the same version; a later program reads
// an older one, so a field added later is a std::optional.
RunRecord read_run_record(const RunFolder& folder);
std::optional<RunRecord> try_read_run_record(const RunFolder& folder);  // nullopt: not complete
// In order. A damaged file is left out, and named in `damaged` where that is asked for: the run
// does not need it.
std::vector<Attempt> read_attempts(const RunFolder& folder,
                                   std::vector<std::filesystem::path>* damaged = nullptr);
// Numbers of the attempts that have a metrics part, in order. Some may be lacking: an attempt that
// died before its first line left its attempt file alone.
std::vector<int> metrics_part_numbers(const RunFolder& folder);
// Merged over attempts: a later attempt's lines replace those after its first_step, and the one at
// it where both have one. A torn last line (a crash) is left out.
std::vector<MetricsRow> read_metrics(const RunFolder& folder);
// What the parts give of the attempts that `record` names: what publish() merged. nullopt where no
// part is kept.
std::optional<std::vector<MetricsRow>> merged_parts(const RunFolder& folder,
                                                    const RunRecord& record);

std::string to_json(const RunRecord& record);  // pretty, with the hash of itself
std::string to_json_line(const MetricsRow& row);
MetricsRow metrics_row_from_json(const std::string& line);

// std::runtime_error when an attempt of that number is already there.
void write_attempt(const RunFolder& folder, const Attempt& attempt);
// Writes metrics.jsonl, then run.json by link without overwriting, with the digests of the results
// that are there. Returns false, changing nothing, when run.json is already there. `check` is
// called before each of the two and may throw.
bool publish(
    const RunFolder& folder, const RunRecord& record, const std::function<void()>& check = [] {});

}  // namespace scalelaw
