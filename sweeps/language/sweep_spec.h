// A sweep file as it was written, and the cells it asks for. configs/sweep_example.yaml shows
// every part.
//
//   cell = base, overridden by its arm, overridden by its block's keys, overridden by one
//          combination of the block's grid x zip x list, to which ladders, isoflops and lists of
//          seeds belong, overridden by the settings of a command line
//
// Nothing here knows what a key means: evaluate_expressions() (sweeps/language/cell_expressions.h)
// and then resolve() (trainer/config_yaml.h) see each cell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/config_yaml.h"
#include "trainer/fit_file.h"
#include "trainer/profiles.h"
#include "trainer/run_config.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

inline constexpr int64_t kMaxCells = 100'000;  // before merging; beyond it a grid is a slip
// Keys set in all cells together: what expand() holds in memory, some 250 bytes each.
inline constexpr int64_t kMaxSettings = 5'000'000;
inline constexpr std::size_t kMaxArms = 1000, kMaxBlocks = 1000;

struct SweepArm {
  std::string name;
  FlatConfig overrides;
};

// One key and the values it takes.
struct SweepAxis {
  std::string key;
  std::vector<SourcedText> values;  // never empty
};

// A law that was fitted to other runs.
struct SweepFit {
  SourcedText file;  // as written, relative to the sweep's file
  FittedLaw law;
};

struct SweepBlock {
  std::string name;  // unique in the sweep
  FlatConfig overrides;
  std::vector<SweepAxis> grid;     // crossed with each other
  std::vector<SweepAxis> zip;      // taken side by side; all of one length
  std::vector<FlatConfig> list;    // taken one by one
  std::vector<std::string> arms;   // names; empty: all of the sweep's
  std::optional<SweepFit> centre;  // of an isoflop
};

// What a whole sweep may cost, what has been run of it included.
struct SweepBudget {
  std::optional<double> flops;         // of training, as the plan counts them
  std::optional<double> device_hours;  // of cores, or of GPUs
  std::optional<double> price;         // of this machine, by --price-per-hour
  std::optional<double> disk;          // bytes that complete runs hold
  bool starts_nothing_new = false;     // where it is reached; else run refuses what comes to more
  bool is_set() const { return flops || device_hours || price || disk; }
};

// Rates of learning that trials find before the runs that need them (sweeps/tuning/tune.h).
struct RateTuning {
  SourcedText where;            // "N <= 1e6": of cells, those that are scanned; "" text: all
  std::vector<double> factors;  // on the file's rate; ascending, three at least
  int64_t extend_at_edge = 2;   // further rates at most, of a scan whose best is at an edge
  bool fits_law = false;        // of the scans, for the other cells; else they keep the file's rate
  std::vector<int64_t> seeds = {1001};  // of trials, initialisation and data alike
};

// Cells that start once what they will come to was predicted and written down.
struct HoldOut {
  SourcedText where;        // as RateTuning's; never ""
  SourcedText name;         // of the prediction: RUNS/predictions/NAME.json
  std::string ending = {};  // of that name where settings of a command line make other
                            // runs than the study's (sweeps/plan/study_cells.h); "": none
  // Whose loss is predicted; without it the training text's.
  std::optional<SourcedText> test_set = {};
};

// What complete runs keep of their checkpoints, where their cells do not set how.keep themselves.
struct SweepKeep {
  KeptCheckpoint of_held_out = KeptCheckpoint::kWhole, of_others = KeptCheckpoint::kWhole;
  std::optional<SourcedText> needs_hold_out;  // where it tells the two apart
};

// Where the runs are trained, for whom the command line says nothing else; of no run's identity.
struct SweepExecutor {
  std::optional<SourcedText> profile;  // of the user's own profiles (trainer/profiles.h)
  ExecutorSettings settings;
};

enum class StartOrder { kSmallestRungFirst, kLongestFirst, kAsWritten };

struct SweepSpec {
  std::string file;                // as given
  std::string content_hash;        // 32 hex digits of the file's bytes, of what it includes, of the
                                   // fits that it names, and of the settings
  std::string file_hash;           // of the file's own bytes
  std::string name;                // letters, digits, '_', '-', '.'; a folder's name
  FlatConfig base;                 // "spec" included
  std::vector<SweepArm> arms;      // empty: one arm without a name or overrides
  std::vector<SweepBlock> blocks;  // empty: one cell an arm; a grid, zip or list at the top of the
                                   // file is one block without a name
  SweepBudget budget;
  std::optional<SweepFit> critical_batch;  // of D or N
  std::optional<RateTuning> tune;
  std::optional<HoldOut> hold_out;
  SweepKeep keep;
  SweepExecutor executor;
  StartOrder order = StartOrder::kSmallestRungFirst;
  FlatConfig settings;  // of a command line; they override every cell
};

// ConfigError (file, line, key, value, rule, nearest name) for invalid YAML, what
// parse_flat_config refuses (1 MiB, nesting, anchors, merge keys, duplicate keys, nulls), a
// missing spec or name, an unknown part, an arm that is not there, zip lists of different lengths,
// a key set twice within a block, an empty list, and more than kMaxArms or kMaxBlocks.
// `include: FILE` or a list of them, relative to the file's folder, are read first: the file's own
// keys override theirs, its arms and blocks stand behind theirs, and its name is the sweep's. Also
// ConfigError: includes in a circle, more than kMaxFiles, an arm or block of one name in two of
// them. `settings`: "key=value", each key once.
// A fit, `isoflop.centre: {fit: FILE}` or `critical_batch: {fit: FILE}`, is read relative to the
// folder of the file that names it; ConfigError: it cannot be read, is damaged, has no such law, or
// counts otherwise than the sweep says.
inline constexpr std::size_t kMaxFiles = 32;
SweepSpec read_sweep_spec(const std::filesystem::path& file,
                          const std::vector<std::string>& settings = {});
// Of a text that includes nothing and names no fit.
SweepSpec parse_sweep_spec(std::string_view yaml, const std::string& file_name);

// A cell before its keys are checked.
struct SweepPoint {
  FlatConfig config;
  SweepPlace place;
};
// In the file's order: block by block, arm by arm; the list turns fastest, then zip, then the
// grid's last key. Equal cells are not merged yet. ConfigError beyond kMaxCells and kMaxSettings.
std::vector<SweepPoint> expand(const SweepSpec& spec);

}  // namespace scalelaw
