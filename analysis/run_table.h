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
std::string_view name(LossMetric metric);         // "nats_per_token", "bits_per_byte"
std::string_view unit(LossMetric metric);         // "nats per token", "bits per byte"
std::string_view in_words(NCount convention);     // "parameters without embeddings and head"
std::string_view short_words(NCount convention);  // for a table's head: "N without head"

// What a table of others tells of a run, where a run folder's record has counts (tabled_runs.h).
struct TabledRun {
  std::map<NCount, double> n;   // by the counts that it has
  std::optional<double> flops;  // of the whole run, however it counts them
  struct Point {
    double d_tokens = 0, loss = 0;
  };
  std::vector<Point> curve;  // before the end, by d_tokens
  bool has_seed = false;     // else the record's seeds are the line's number
};

struct RunRow {
  RunFolder folder;
  std::string folder_name;  // last part of the path
  std::string arm;          // from the sweep's record, else the architecture
  RunRecord record;
  // Final loss of every window of the selected test set, nats per token, in the text's order; empty
  // where the run's file of them cannot be read. select_runs fills it in.
  std::vector<float> window_losses = {};
  std::optional<TabledRun> tabled = {};  // no folder; of the record what the table tells

  double n(NCount convention) const;  // 0 where it is not known
  double d_tokens() const { return static_cast<double>(record.train_tokens); }
  // D ends within it of the one that was meant: a batch, and 1% of a table's rounded numbers.
  double d_slack() const;
  // Of the whole run: C by exact_causal, of a table as it stands there, else 6 N D.
  double training_flops() const;
  // Shares of all stored parameters; a tied head stores none of its own.
  double embedding_share() const;
  // Share of n_vocab d_model in N + head: what the head adds to N, tied or not.
  double head_share() const;
  // Final loss on a test set. The set must be there.
  double loss(const std::string& test_set, LossMetric metric) const;
  // Over blocks of neighbouring windows (block_error.h); without window losses the record's, which
  // takes windows for independent and is too small. 0 of a table's runs: not known.
  double loss_standard_error(const std::string& test_set, LossMetric metric) const;
};

// Whether both may be of one nominal D, which each ends within one batch of.
bool same_horizon(const RunRow& a, const RunRow& b);

struct Exclusion {
  std::string folder_name, arm, reason;
  bool is_trial = false;  // of a rate, which nobody takes for a result
};

// A sweep that was asked for, and how much of it is here.
struct SweepSource {
  std::string name;
  int cells = 0;
  std::vector<std::string> not_used;  // "FOLDER (diverged)": recorded cells that gave no row
};

struct RunTable {
  std::string source;   // the sweep's name, or the folders or files as given
  bool tabled = false;  // of tables of others; else of run folders
  std::vector<SweepSource> sweeps;
  std::vector<RunRow> rows;
  std::vector<Exclusion> excluded;
  std::vector<std::string> warnings;      // sentences for people
  std::vector<std::string> arms() const;  // of rows, in order of first appearance
};

// A sweep's cells that wait for a prediction: as any other, or as if the record did not name them.
enum class HeldOutCells { kRead, kPassedOver };

// Each path is a sweep's record (RUNS/sweeps/NAME.json), a run folder, or a folder of run folders.
// A run that a sweep asks for in several arms is one row in each; a run met again through another
// path or a copied folder (equal content hash) is not another row. Unfinished, diverged and
// unreadable runs become exclusions, and so do cells that `scalelaw sweep exclude` named, with the
// reason given there: of a sweep's record those that it leaves out, of folders those that any sweep
// of their store does. What one sweep leaves out and another one uses is a row. A sweep's cells
// that gave no row are warned of by name, those that another sweep brought in too, and so is a
// sweep file that is not the one its record was written from. ConfigError: a path that is not
// there, a sweep record that cannot be read, a folder that holds no run.
RunTable read_runs(const std::vector<std::filesystem::path>& paths,
                   HeldOutCells held_out = HeldOutCells::kRead);

enum class ArmGrouping { kArm, kArchitecture };

struct Selection {
  std::string test_set;  // "": the only one, or the one of the training text
  LossMetric metric = LossMetric::kNatsPerToken;
  NCount n_count = NCount::kNonEmbedding;
  ArmGrouping by = ArmGrouping::kArm;
  std::optional<double> train_tokens;  // D; nullopt: the D of most runs
  bool own_tokens = false;             // each size at the D that it has
  std::string horizon;  // filled in: "D = 2.5M tokens", "D of 20 to 21 tokens a parameter"
  std::string c_words = "with attention counted exactly";  // of RunRow::training_flops()
  // Of a test set's text, all of the split, in place of what the runs' records say (--bytes).
  std::map<std::string, int64_t> text_bytes;
};

// Of which D: of the selection's, or of all (its train_tokens then stay as they are).
enum class Horizons { kOne, kAll };

// Moves to `excluded` the runs without a number for the selection's loss or N, and fills in its
// test set. ConfigError: no usable run, an unknown test set.
void keep_usable_runs(RunTable& table, Selection& selection);

// keep_usable_runs(), then moves to `excluded` what a fit of loss against N at one D, or at all,
// cannot use, warns of mixed recipes and fills in the selection's defaults. ConfigError: no
// complete run at all, an unknown test set; within an arm several tokenizers under nats per token,
// several texts (training tokens, test tokens or their number differ under one tokenizer, the bytes
// of the test's text in bits per byte), several learning rates or recipes at one N and D: only
// seeds make replicates. Arms may differ in all of these: compare.h says which can be compared.
void select_runs(RunTable& table, Selection& selection, Horizons horizons = Horizons::kOne);

// Why two runs' losses on the selection's test set cannot be set side by side, in words that follow
// "they"; "" where they can. Tokenizers may differ in bits per byte: hashes of tokens then say
// nothing about the text.
std::string different_tests(const RunRow& a, const RunRow& b, const Selection& selection);

// Only seeds make replicates: recipes of equal N and D would be averaged into one point of the law.
// What is wrong in this arm by this count, in words; "": nothing.
std::string mixed_recipes(const RunTable& table, const std::string& arm, NCount n_count);

// A line, or an object, a run, excluded ones too (state "excluded", with the reason); "" or null
// where something is not known. Both have the same columns.
std::string runs_csv(const RunTable& table, const Selection& selection);
std::string runs_json(const RunTable& table, const Selection& selection);

}  // namespace scalelaw
