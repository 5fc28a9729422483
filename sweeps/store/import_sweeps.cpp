#include "sweeps/store/import_sweeps.h"

#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include "sweeps/store/archive_manifest.h"
#include "trainer/atomic_file.h"
#include "trainer/cell_exclusion.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

struct Sweep {
  ImportedItem item;                           // of its record
  std::map<std::string, std::string> folders;  // of its cells, by content hash
};

// nullopt: the store has no file there.
std::optional<bool> has_same(const fs::path& file, const std::string& content) {
  if (!fs::exists(fs::symlink_status(file))) return std::nullopt;
  return read_whole_file(file) == content;
}

ImportedItem look_at_file(const fs::path& runs, const std::string& name,
                          const std::string& content) {
  const std::string path = kSweepsFolder + name;
  const std::optional<bool> same = has_same(runs / path, content);
  if (!same) return {path, ImportEnd::kImported, "", path};
  return {path, *same ? ImportEnd::kKept : ImportEnd::kRefused, "", path};
}

Sweep look_at_record(const fs::path& runs, const std::string& name, const std::string& content) {
  Sweep sweep{look_at_file(runs, name, content), {}};
  if (sweep.item.end == ImportEnd::kRefused) {
    sweep.item.why = "another record of that name is there; move it away and import again";
  }
  SweepRecord record;
  try {
    record = sweep_record_from_json(content);
  } catch (const std::runtime_error& error) {
    throw ConfigError(sweep.item.name + " is damaged or no sweep's record: " + error.what());
  }
  if (record.name != fs::path(name).stem().string()) {
    throw ConfigError(sweep.item.name + " is the record of another sweep, " + escaped(record.name));
  }
  for (SweepCell& cell : record.cells) {
    sweep.folders.emplace(std::move(cell.content_hash), std::move(cell.folder));
  }
  return sweep;
}

ImportedItem look_at_exclusion(const fs::path& runs, const std::string& name,
                               const std::string& content, const Sweep& sweep) {
  ImportedItem item = look_at_file(runs, name, content);
  CellExclusion exclusion;
  try {
    exclusion = exclusion_from_json(content);
  } catch (const std::runtime_error& error) {
    throw ConfigError(item.name + " is no exclusion: " + error.what());
  }
  if (exclusion.content_hash != fs::path(name).stem().string()) {
    throw ConfigError(item.name + " excludes another run than its name says");
  }
  const auto cell = sweep.folders.find(exclusion.content_hash);
  if (cell == sweep.folders.end()) {
    throw ConfigError(item.name + " excludes a run that its sweep does not ask for");
  }
  item.shown = "the exclusion of " + cell->second + " from sweep " +
               fs::path(sweep.item.name).stem().string() + " (" + exclusion.reason + ")";
  if (sweep.item.end == ImportEnd::kRefused) {
    item.end = ImportEnd::kRefused;
    item.why = "another record of its sweep is there";
  } else if (item.end == ImportEnd::kRefused) {
    item.why = "the run is excluded here already, and that stays: " +
               exclusion_reason(runs / sweep.item.name, exclusion.content_hash).value_or("");
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

std::vector<ImportedItem> look_at_sweeps(const fs::path& runs, const SweepFiles& files) {
  std::map<std::string, Sweep> sweeps;  // by the record's name
  for (const auto& [name, content] : files) {
    if (record_of_exclusion(name).empty()) {
      sweeps.emplace(name, look_at_record(runs, name, content));
    }
  }
  std::vector<ImportedItem> items;
  for (const auto& [name, content] : files) {
    const std::string record = record_of_exclusion(name);
    items.push_back(record.empty() ? sweeps.at(name).item
                                   : look_at_exclusion(runs, name, content, sweeps.at(record)));
  }
  return items;
}

void publish_sweeps(const fs::path& runs, const SweepFiles& files,
                    std::vector<ImportedItem>& items) {
  const auto name_of = [](const ImportedItem& item) {
    return item.name.substr(std::string_view(kSweepsFolder).size());
  };
  std::set<std::string> ours;  // records
  for (ImportedItem& item : items) {
    const std::string name = name_of(item);
    if (!record_of_exclusion(name).empty()) continue;
    if (item.end == ImportEnd::kImported) publish(runs, files.at(name), item);
    if (has_same(runs / item.name, files.at(name)) == true) ours.insert(name);
  }
  for (ImportedItem& item : items) {
    const std::string name = name_of(item), record = record_of_exclusion(name);
    if (record.empty() || item.end != ImportEnd::kImported) continue;
    if (ours.contains(record)) {
      publish(runs, files.at(name), item);
    } else {
      item.end = ImportEnd::kRefused;
      item.why = "another record of its sweep was put there meanwhile";
    }
  }
}

}  // namespace scalelaw
