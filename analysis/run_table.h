// Every run an analysis was pointed at: one row each, or one exclusion with its reason. Run
// folders are read through trainer/run_record.h alone.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

enum class LossMetric { kNatsPerToken, kBitsPerByte };
std::string_view name(LossMetric metric);  // "nats_per_token", "bits_per_byte"
std::string_view unit(LossMetric metric);  // "nats per token", "bits per byte"

struct RunRow {
  RunFolder folder;
  std::string folder_name;  // last part of the path
  std::string arm;          // from the sweep's record, else the architecture
  RunRecord record;

  double n(NCount convention) const;
  double d_tokens() const { return static_cast<double>(record.train_tokens); }
  double training_flops() const;  // whole run, C by exact_causal
  // Shares of all stored parameters; a tied head stores none of its own.
  double embedding_share() const;
  // Share of n_vocab d_model in N + head: what the head adds to N, tied or not.
  double head_share() const;
  // Final loss on a test set and its standard error over windows. The set must be there.
  double loss(const std::string& test_set, LossMetric metric) const;
  double loss_standard_error(const std::string& test_set, LossMetric metric) const;
};

struct Exclusion {
  std::string folder_name, arm, reason;
};

struct RunTable {
  std::string source;  // the sweep's name, or the folders as given
  std::vector<RunRow> rows;
  std::vector<Exclusion> excluded;
  std::vector<std::string> warnings;      // sentences for people
  std::vector<std::string> arms() const;  // of rows, in order of first appearance
};

// Each path is a sweep's record (RUNS/sweeps/NAME.json), a run folder, or a folder of run folders.
// A run that a sweep asks for in several arms is one row in each; a run met again through another
// path or a copied folder (equal content hash) is not another row. Unfinished, diverged and
// unreadable runs become exclusions. ConfigError: a path that is not there, a sweep record that
// cannot be read, a folder that holds no run.
RunTable read_runs(const std::vector<std::filesystem::path>& paths);

enum class ArmGrouping { kArm, kArchitecture };

struct Selection {
  std::string test_set;  // "": the only one, or the one of the training text
  LossMetric metric = LossMetric::kNatsPerToken;
  NCount n_count = NCount::kNonEmbedding;
  ArmGrouping by = ArmGrouping::kArm;
  std::optional<double> train_tokens;  // D; nullopt: the D of most runs
};

// Moves to `excluded` what a fit of loss against N at one D cannot use, warns of mixed recipes and
// fills in the selection's defaults. ConfigError: no complete run at all, an unknown test set,
// several tokenizers under nats per token, results on several texts (training tokens, test tokens
// or their number differ under one tokenizer), several learning rates or recipes at one N of an
// arm: only seeds make replicates.
void select_runs(RunTable& table, Selection& selection);

// One line a run, excluded ones too (state "excluded", with the reason).
std::string runs_csv(const RunTable& table, const Selection& selection);
std::string runs_json(const RunTable& table, const Selection& selection);

}  // namespace scalelaw
