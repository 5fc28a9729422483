// Which runs a sweep is made of: RUNS/sweeps/NAME.json. Sweeps writes it, analysis reads it
// (`scalelaw fit runs/sweeps/NAME.json`), because the names of arms and blocks are no part of a
// run's identity and so stand in no run folder: two sweeps share a run under different names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/model_shape.h"
#include "trainer/run_config.h"

namespace scalelaw {

inline constexpr int kSweepRecordVersion = 1;

// Where the sweep file asks for a cell.
struct SweepPlace {
  std::string arm;    // "" when the file has no arms
  std::string block;  // "" when the file has no blocks
  bool operator==(const SweepPlace&) const = default;
};

// Of a cell that may start only once its loss is predicted and written down
// (trainer/prediction.h): what a prediction needs to know of a run that is not there yet.
struct HeldOut {
  std::string prediction;  // its name: RUNS/predictions/NAME.json
  int64_t n_non_embedding = 0, n_non_embedding_plus_head = 0, n_total = 0;  // n_params()
  int64_t train_tokens = 0;
  std::string arch;
  std::string test_set = {};     // whose loss is predicted; "": as analysis chooses
  std::string recipe_hash = {};  // that its run.json will have (RunRecord); "": not known
  double n(NCount convention) const;
  bool operator==(const HeldOut&) const = default;
};

struct SweepCell {
  std::string content_hash;        // 32 hex digits
  std::string folder;              // name below RUNS; not a path
  std::vector<SweepPlace> places;  // never empty; several where equal cells merged, in file order
  bool is_trial = false;           // of a rate that the sweep tunes: no result of it
  std::optional<HeldOut> hold_out = {};  // absent in the file: an ordinary cell
  // What the sweep asks to stay of its checkpoint once it is complete; nullopt: not known.
  std::optional<KeptCheckpoint> keep = {};
  // What a sweep that holds cells out says of its recipe: of the keys of training, model and text
  // but learning rate and shape those in which its cells differ, "train.batch_tokens" -> "4096".
  std::map<std::string, std::string> recipe = {};
  const std::string& arm() const { return places.front().arm; }
  bool operator==(const SweepCell&) const = default;
};

struct SweepRecord {
  int version = kSweepRecordVersion;
  std::string name;
  std::string spec_file;         // its whole path
  std::string spec_hash;         // 32 hex digits of the file, what it includes, and the settings
  std::string file_hash = {};    // of the file's own bytes; "": not known
  std::vector<SweepCell> cells;  // in the file's order; each content hash once
  // Cells whose rates are not known yet. Of a record before, `cells` may have what some of these
  // turn out to be.
  int64_t waiting = 0;
  int64_t open = 0;  // results among `cells` of which that is so
  bool operator==(const SweepRecord&) const = default;
};

// "NAME.set-1a2b3c4d" is the sweep of NAME's file with settings of a command line.
inline constexpr const char* kSettingsEnding = ".set-";
inline constexpr std::size_t kSettingsDigits = 8;
// Of such a name NAME, the study's; "" of any other.
std::string study_of(std::string_view sweep_name);

// RUNS/sweeps/NAME.json
std::filesystem::path sweep_record_file(const std::filesystem::path& runs, std::string_view name);

// Atomically; a file that says just this is left as it is, which needs no room.
void write_sweep_record(const std::filesystem::path& file, const SweepRecord& record);
// std::runtime_error where the file cannot be read. ConfigError names the file, the field, the
// fault and the remedy: no JSON, another version, a field missing or of another type, no cells, a
// cell without a place, a folder or a prediction that is a path. Unknown keys are ignored.
SweepRecord read_sweep_record(const std::filesystem::path& file);
// Cells that are trials of one of the store's sweeps and a result of none. A record that cannot be
// read says nothing.
std::vector<SweepCell> trials_of_store(const std::filesystem::path& runs);
// Of such a file's text. std::runtime_error with what is wrong, as above.
SweepRecord sweep_record_from_json(std::string_view text);

}  // namespace scalelaw
