#include "trainer/cell_exclusion.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "trainer/atomic_file.h"
#include "trainer/folder_lock.h"
#include "trainer/hash.h"
#include "trainer/json_text.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderEnding = ".excluded";

fs::path exclusion_file(const fs::path& record_file, const std::string& content_hash) {
  return exclusions_folder(record_file) / (content_hash + ".json");
}

// Those that are there of the sweep's own, which come first, and its study's.
std::vector<fs::path> folders_in_force(const fs::path& record_file) {
  std::vector<fs::path> folders;
  std::error_code ignored;
  for (const fs::path& record : {record_file, record_of_study(record_file)}) {
    if (record.empty()) continue;
    fs::path folder = exclusions_folder(record);
    if (fs::is_directory(folder, ignored)) folders.push_back(std::move(folder));
  }
  return folders;
}

// Of a file that is damaged the reason says so.
CellExclusion exclusion_in(const fs::path& file) {
  try {
    return exclusion_from_json(read_whole_file(file));
  } catch (const std::runtime_error& error) {
    return {file.stem().string(), "", file.string() + " is damaged: " + error.what(), ""};
  }
}

// Folders of a sweep's cells by content hash; nullopt where its record cannot be read.
using CellFolders = std::map<std::string, std::string>;
std::optional<CellFolders> cell_folders(const fs::path& record_file) {
  CellFolders folders;
  try {
    for (SweepCell& cell : read_sweep_record(record_file).cells) {
      folders.emplace(std::move(cell.content_hash), std::move(cell.folder));
    }
  } catch (const std::runtime_error&) {  // whoever asks for the sweep itself is told
    return std::nullopt;
  }
  return folders;
}

// Of the sweep's cells, by content hash; of a record that cannot be read all that lie there, since
// what was left out on purpose must not come back by accident.
std::map<std::string, CellExclusion> exclusions_in_force(const fs::path& record_file) {
  std::map<std::string, CellExclusion> exclusions;
  const std::optional<CellFolders> folders = cell_folders(record_file);
  for (const fs::path& folder : folders_in_force(record_file)) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      const std::string content_hash = entry.path().stem().string();
      if (entry.path().extension() != ".json" || !is_hash(content_hash)) continue;
      if (folders && !folders->contains(content_hash)) continue;
      const auto [at, is_new] = exclusions.emplace(content_hash, exclusion_in(entry.path()));
      if (is_new && folders) at->second.folder = folders->at(content_hash);
    }
  }
  return exclusions;
}

std::string text_at(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) {
    throw std::runtime_error(std::string(key) + " is missing or no text");
  }
  return found->get<std::string>();
}

}  // namespace

std::string to_json(const CellExclusion& exclusion) {
  const nlohmann::ordered_json json = {{"content_hash", exclusion.content_hash},
                                       {"folder", exclusion.folder},
                                       {"reason", exclusion.reason},
                                       {"excluded_at", exclusion.excluded_at}};
  // A command line's reason may hold bytes that are no UTF-8.
  return json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

CellExclusion exclusion_from_json(std::string_view text) {
  const nlohmann::json json = parse_json_object(text);
  CellExclusion exclusion{text_at(json, "content_hash"), text_at(json, "folder"),
                          text_at(json, "reason"), text_at(json, "excluded_at")};
  if (!is_hash(exclusion.content_hash)) throw std::runtime_error("content_hash is none");
  if (exclusion.reason.empty()) throw std::runtime_error("it gives no reason");
  // Of each byte that is no UTF-8 to_json() makes three.
  if (exclusion.reason.size() > 3 * kMostReasonBytes) {
    throw std::runtime_error("its reason is longer than " + std::to_string(kMostReasonBytes) +
                             " bytes");
  }
  return exclusion;
}

fs::path exclusions_folder(fs::path record_file) {
  return record_file.replace_extension(kFolderEnding);
}

fs::path record_of_study(const fs::path& record_file) {
  const std::string study = study_of(record_file.stem().string());
  return study.empty() ? fs::path() : record_file.parent_path() / (study + ".json");
}

void exclude_cell(const fs::path& record_file, const CellExclusion& exclusion) {
  const fs::path file = exclusion_file(record_file, exclusion.content_hash);
  std::error_code error;
  create_folders(file.parent_path(), error);
  if (error) throw_unwritable(file.parent_path(), error.value());
  if (faccessat(AT_FDCWD, file.parent_path().c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
    throw_unwritable(file.parent_path(), errno);
  }
  write_atomically(file, to_json(exclusion));
}

bool include_cell(const fs::path& record_file, const std::string& content_hash) {
  const fs::path file = exclusion_file(record_file, content_hash);
  std::error_code error;
  const bool was_there = fs::remove(file, error);
  if (error) throw_unwritable(file, error.value());
  return was_there;
}

bool has_own_exclusion(const fs::path& record_file, const std::string& content_hash) {
  std::error_code ignored;
  return fs::exists(exclusion_file(record_file, content_hash), ignored);
}

std::optional<std::string> exclusion_reason(const fs::path& record_file,
                                            const std::string& content_hash) {
  for (const fs::path& record : {record_file, record_of_study(record_file)}) {
    if (record.empty() || !has_own_exclusion(record, content_hash)) continue;
    return exclusion_in(exclusion_file(record, content_hash)).reason;
  }
  return std::nullopt;
}

StoreExclusions exclusions_of_store(const fs::path& runs) {
  StoreExclusions exclusions;
  if (!fs::exists(runs / "sweeps")) return exclusions;
  std::set<fs::path> records;
  for (const auto& entry : fs::directory_iterator(runs / "sweeps")) {
    const fs::path& record = entry.path();
    if (record.extension() == ".json" && !folders_in_force(record).empty()) records.insert(record);
  }
  for (const fs::path& record : records) {
    const std::string sweep = record.stem().string();
    for (auto& [content_hash, exclusion] : exclusions_in_force(record)) {
      exclusions[content_hash].push_back(
          {sweep, std::move(exclusion.folder), std::move(exclusion.reason)});
    }
  }
  return exclusions;
}

std::string in_words(const std::vector<SweepExclusion>& exclusions) {
  std::string text;
  for (const SweepExclusion& each : exclusions) {
    text += (text.empty() ? "" : "; ") + ("excluded from sweep " + each.sweep) + ": " + each.reason;
  }
  return text;
}

}  // namespace scalelaw
