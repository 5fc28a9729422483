#include "sweeps/store/import_sweeps.h"

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "sweeps/store/archive_manifest.h"
#include "sweeps/store/sweep_predictions.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/prediction.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSweeps = "sweeps/", kPredictions = "predictions/";

struct Sweep {
  ImportedItem item;                           // of its record
  std::map<std::string, std::string> folders;  // of its cells, by content hash
  SweepRecord record;
};
using Sweeps = std::map<std::string, Sweep>;  // by the record's path

std::string stem(const std::string& path) {
  return fs::path(path).stem().string();
}

// "" of what is no exclusion.
std::string record_of(const std::string& path) {
  if (!path.starts_with(kSweeps)) return "";
  const std::string record = record_of_exclusion(path.substr(kSweeps.size()));
  return record.empty() ? "" : std::string(kSweeps) + record;
}

// nullopt: the store has no file there.
std::optional<bool> has_same(const fs::path& file, const std::string& content) {
  if (!fs::exists(fs::symlink_status(file))) return std::nullopt;
  return read_whole_file(file) == content;
}

ImportedItem look_at_file(const fs::path& runs, const std::string& path,
                          const std::string& content) {
  const std::optional<bool> same = has_same(runs / path, content);
  if (!same) return {path, ImportEnd::kImported, "", path};
  return {path, *same ? ImportEnd::kKept : ImportEnd::kRefused, "", path};
}

Sweep look_at_record(const fs::path& runs, const std::string& path, const std::string& content) {
  Sweep sweep{look_at_file(runs, path, content), {}, {}};
  SweepRecord& record = sweep.record;
  if (sweep.item.end == ImportEnd::kRefused) {
    sweep.item.why = "another record of that name is there; move it away and import again";
  }
  try {
    record = sweep_record_from_json(content);
  } catch (const std::runtime_error& error) {
    throw ConfigError(sweep.item.name + " is damaged or no sweep's record: " + error.what());
  }
  if (record.name != stem(path)) {
    throw ConfigError(sweep.item.name + " is the record of another sweep, " + escaped(record.name));
  }
  for (const SweepCell& cell : record.cells) {
    sweep.folders.emplace(cell.content_hash, cell.folder);
  }
  return sweep;
}

ImportedItem look_at_exclusion(const fs::path& runs, const std::string& path,
                               const std::string& content, const Sweep& sweep) {
  ImportedItem item = look_at_file(runs, path, content);
  item.records = {sweep.item.name};
  CellExclusion exclusion;
  try {
    exclusion = exclusion_from_json(content);
  } catch (const std::runtime_error& error) {
    throw ConfigError(item.name + " is no exclusion: " + error.what());
  }
  if (exclusion.content_hash != stem(path)) {
    throw ConfigError(item.name + " excludes another run than its name says");
  }
  const auto cell = sweep.folders.find(exclusion.content_hash);
  if (cell == sweep.folders.end()) {
    throw ConfigError(item.name + " excludes a run that its sweep does not ask for");
  }
  item.shown = "the exclusion of " + cell->second + " from sweep " + stem(sweep.item.name) + " (" +
               exclusion.reason + ")";
  if (sweep.item.end == ImportEnd::kRefused) {
    item.end = ImportEnd::kRefused;
    item.why = "another record of its sweep is there";
  } else if (item.end == ImportEnd::kRefused) {
    item.why = "the run is excluded here already, and that stays: " +
               exclusion_reason(runs / sweep.item.name, exclusion.content_hash).value_or("");
  }
  return item;
}

// It stands by itself and may be of several sweeps: it goes with any of them.
ImportedItem look_at_prediction(const fs::path& runs, const std::string& path,
                                const std::string& content, const Sweeps& sweeps) {
  ImportedItem item = look_at_file(runs, path, content);
  Prediction prediction;
  try {
    prediction = registered_prediction_from_json(content);
  } catch (const std::runtime_error& error) {
    throw ConfigError(path + " is damaged, edited or no prediction: " + error.what());
  }
  if (prediction.name != stem(path)) {
    throw ConfigError(path + " holds another prediction, " + escaped(prediction.name));
  }
  bool is_any_record_ours = false;
  for (const auto& [record, sweep] : sweeps) {
    if (!is_of_sweep(prediction, sweep.record)) continue;
    item.records.push_back(record);
    is_any_record_ours |= sweep.item.end != ImportEnd::kRefused;
  }
  if (item.records.empty()) {
    throw ConfigError(path + " is a prediction of no sweep of the archive");
  }
  item.shown = "the prediction " + prediction.name + ", registered at " + prediction.registered_at;
  if (item.end == ImportEnd::kRefused) {
    item.why = "another prediction of that name is registered here and stands";
  } else if (item.end == ImportEnd::kImported && !is_any_record_ours) {
    item.end = ImportEnd::kRefused;
    item.why = "another record of its sweep is there";
  }
  return item;
}

void publish(const fs::path& runs, const std::string& content, ImportedItem& item) {
  create_folders((runs / item.name).parent_path());
  if (publish_atomically(runs / item.name, content)) return;
  item.end = ImportEnd::kRefused;
  item.why = "another process has put something there meanwhile";
}

}  // namespace

bool is_sweep_file(std::string_view path) {
  return path.starts_with(kSweeps) || path.starts_with(kPredictions);
}

std::vector<ImportedItem> look_at_sweeps(const fs::path& runs, const SweepFiles& files) {
  Sweeps sweeps;
  for (const auto& [path, content] : files) {
    if (path.starts_with(kSweeps) && record_of(path).empty()) {
      sweeps.emplace(path, look_at_record(runs, path, content));
    }
  }
  std::vector<ImportedItem> items;
  for (const auto& [path, content] : files) {
    const std::string record = record_of(path);
    items.push_back(!path.starts_with(kSweeps) ? look_at_prediction(runs, path, content, sweeps)
                    : record.empty()           ? sweeps.at(path).item
                                     : look_at_exclusion(runs, path, content, sweeps.at(record)));
  }
  return items;
}

void publish_sweeps(const fs::path& runs, const SweepFiles& files,
                    std::vector<ImportedItem>& items) {
  std::set<std::string> ours;  // records
  for (ImportedItem& item : items) {
    if (!item.records.empty()) continue;
    if (item.end == ImportEnd::kImported) publish(runs, files.at(item.name), item);
    if (has_same(runs / item.name, files.at(item.name)) == true) ours.insert(item.name);
  }
  for (ImportedItem& item : items) {
    if (item.records.empty() || item.end != ImportEnd::kImported) continue;
    if (std::ranges::any_of(item.records, [&](const auto& name) { return ours.contains(name); })) {
      publish(runs, files.at(item.name), item);
    } else {
      item.end = ImportEnd::kRefused;
      item.why = "another record of its sweep was put there meanwhile";
    }
  }
}

}  // namespace scalelaw
