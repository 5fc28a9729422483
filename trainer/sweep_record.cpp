#include "trainer/sweep_record.h"

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/run_record_json.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const SweepCell& cell) {
  Json places = Json::array();
  for (const SweepPlace& place : cell.places) {
    places.push_back({{"arm", place.arm}, {"block", place.block}});
  }
  Json json = {{"content_hash", cell.content_hash}, {"folder", cell.folder}, {"places", places}};
  if (cell.is_trial) json["trial"] = true;
  return json;
}

// A value of the record, and its path there for a message: "cells.3.folder".
class Field {
 public:
  Field(const nlohmann::json& json, std::string path) : json_(json), path_(std::move(path)) {
    require(json.is_object(), "an object");
  }
  std::string text(const char* key) const {
    const Field field(at(key), join(key), nullptr);
    field.require(field.json_.is_string(), "a text");
    return field.json_.get<std::string>();
  }
  int64_t whole(const char* key) const {
    const Field field(at(key), join(key), nullptr);
    field.require(field.json_.is_number_integer(), "a whole number");
    return field.json_.get<int64_t>();
  }
  // false where it is not there.
  bool truth(const char* key) const {
    if (!json_.contains(key)) return false;
    const Field field(at(key), join(key), nullptr);
    field.require(field.json_.is_boolean(), "true or false");
    return field.json_.get<bool>();
  }
  // Of a list that is not empty.
  std::vector<Field> objects(const char* key) const {
    const Field list(at(key), join(key), nullptr);
    list.require(list.json_.is_array() && !list.json_.empty(), "a list that is not empty");
    std::vector<Field> fields;
    for (const nlohmann::json& element : list.json_) {
      fields.emplace_back(element, list.join(std::to_string(fields.size())));
    }
    return fields;
  }
  [[noreturn]] void fail(const std::string& key, const std::string& rule) const {
    throw std::runtime_error(join(key) + " " + rule);
  }

 private:
  Field(const nlohmann::json& json, std::string path, std::nullptr_t)
      : json_(json), path_(std::move(path)) {}
  const nlohmann::json& at(const char* key) const {
    const auto found = json_.find(key);
    if (found == json_.end()) fail(key, "is missing");
    return *found;
  }
  std::string join(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void require(bool holds, const char* rule) const {
    if (holds) return;
    throw std::runtime_error(path_ + (path_.empty() ? "" : " ") + "must be " + rule + ", is " +
                             shown(json_));
  }

  const nlohmann::json& json_;
  std::string path_;
};

SweepCell cell_from(const Field& field) {
  SweepCell cell;
  cell.content_hash = field.text("content_hash");
  cell.folder = field.text("folder");
  // The record may come from elsewhere: it must not lead a reader out of the store.
  if (cell.folder.empty() || cell.folder == "." || cell.folder == ".." ||
      cell.folder.find('/') != std::string::npos) {
    field.fail("folder", "must be a folder's name, is \"" + cell.folder + "\"");
  }
  for (const Field& place : field.objects("places")) {
    cell.places.push_back({place.text("arm"), place.text("block")});
  }
  cell.is_trial = field.truth("trial");
  return cell;
}

SweepRecord record_from(const Field& field) {
  SweepRecord record;
  record.name = field.text("name");
  record.spec_file = field.text("spec_file");
  record.spec_hash = field.text("spec_hash");
  for (const Field& cell : field.objects("cells")) record.cells.push_back(cell_from(cell));
  return record;
}

}  // namespace

std::filesystem::path sweep_record_file(const std::filesystem::path& runs, std::string_view name) {
  return runs / "sweeps" / (std::string(name) + ".json");
}

void write_sweep_record(const std::filesystem::path& file, const SweepRecord& record) {
  Json cells = Json::array();
  for (const SweepCell& cell : record.cells) cells.push_back(to_json(cell));
  const Json json = {{"version", record.version},
                     {"name", record.name},
                     {"spec_file", record.spec_file},
                     {"spec_hash", record.spec_hash},
                     {"cells", cells}};
  // A command line's path may hold bytes that are no UTF-8.
  write_atomically(file, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

SweepRecord sweep_record_from_json(std::string_view text) {
  const nlohmann::json json = parse_json(text);
  const Field root(json, "");
  const int64_t version = root.whole("version");
  if (version != kSweepRecordVersion) {
    throw OtherVersion("is of version " + std::to_string(version) +
                       " of the sweep's record; this program knows version " +
                       std::to_string(kSweepRecordVersion));
  }
  return record_from(root);
}

SweepRecord read_sweep_record(const std::filesystem::path& file) {
  const std::string content = read_whole_file(file);
  try {
    return sweep_record_from_json(content);
  } catch (const OtherVersion& error) {
    throw ConfigError(file.string() + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw ConfigError(file.string() + ": is damaged or no sweep's record: " + error.what() +
                      "; move it away, and `scalelaw sweep run` of the sweep's file writes it "
                      "anew (complete runs are kept)");
  }
}

std::vector<SweepCell> trials_of_store(const std::filesystem::path& runs) {
  namespace fs = std::filesystem;
  std::map<std::string, SweepCell> trials;
  std::set<std::string> results;
  std::error_code none;
  for (fs::directory_iterator it(runs / "sweeps", none), end; !none && it != end;
       it.increment(none)) {
    if (it->path().extension() != ".json") continue;
    try {
      for (SweepCell& cell : read_sweep_record(it->path()).cells) {
        if (!cell.is_trial) {
          results.insert(cell.content_hash);
        } else {
          trials.emplace(cell.content_hash, std::move(cell));
        }
      }
    } catch (const std::runtime_error&) {
      continue;
    }
  }
  std::vector<SweepCell> all;
  for (auto& [content_hash, cell] : trials) {
    if (!results.contains(content_hash)) all.push_back(std::move(cell));
  }
  return all;
}

}  // namespace scalelaw
