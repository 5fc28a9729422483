#include "trainer/sweep_record.h"

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "trainer/atomic_file.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const SweepCell& cell) {
  Json places = Json::array();
  for (const SweepPlace& place : cell.places) {
    places.push_back({{"arm", place.arm}, {"block", place.block}});
  }
  return {{"content_hash", cell.content_hash}, {"folder", cell.folder}, {"places", places}};
}

SweepCell cell_from(const Json& json) {
  SweepCell cell;
  cell.content_hash = json.at("content_hash").get<std::string>();
  cell.folder = json.at("folder").get<std::string>();
  // The record may come from elsewhere: it must not lead a reader out of the store.
  if (cell.folder.empty() || cell.folder == "." || cell.folder == ".." ||
      cell.folder.find('/') != std::string::npos) {
    throw std::runtime_error("\"" + cell.folder + "\" is no folder's name");
  }
  for (const Json& place : json.at("places")) {
    cell.places.push_back(
        {place.at("arm").get<std::string>(), place.at("block").get<std::string>()});
  }
  if (cell.places.empty()) throw std::runtime_error(cell.folder + " has no place");
  return cell;
}

SweepRecord record_from(const Json& json) {
  SweepRecord record;
  record.version = json.at("version").get<int>();
  if (record.version != kSweepRecordVersion) {
    throw std::runtime_error("version " + std::to_string(record.version) +
                             ", this program reads version " + std::to_string(kSweepRecordVersion));
  }
  record.name = json.at("name").get<std::string>();
  record.spec_file = json.at("spec_file").get<std::string>();
  record.spec_hash = json.at("spec_hash").get<std::string>();
  for (const Json& cell : json.at("cells")) record.cells.push_back(cell_from(cell));
  if (record.cells.empty()) throw std::runtime_error("no cells");
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

SweepRecord read_sweep_record(const std::filesystem::path& file) {
  const std::string content = read_whole_file(file);
  try {
    return record_from(Json::parse(content));
  } catch (const Json::parse_error& error) {
    throw std::runtime_error(file.string() + ": not a sweep's record: no JSON from byte " +
                             std::to_string(error.byte) + " on");
  } catch (const Json::exception& error) {
    const std::string what = error.what();  // "[json.exception.type_error.302] type must be ..."
    throw std::runtime_error(file.string() +
                             ": not a sweep's record: " + what.substr(what.find("] ") + 2));
  } catch (const std::exception& error) {
    throw std::runtime_error(file.string() + ": not a sweep's record: " + error.what());
  }
}

}  // namespace scalelaw
