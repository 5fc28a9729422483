#include "trainer/cell_exclusion.h"

#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <system_error>

#include "trainer/atomic_file.h"
#include "trainer/folder_lock.h"
#include "trainer/hash.h"
#include "trainer/json_text.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolderEnding = ".excluded";

fs::path exclusion_file(const fs::path& record_file, const std::string& content_hash) {
  return exclusions_folder(record_file) / (content_hash + ".json");
}

std::string reason_in(const fs::path& file) {
  try {
    return exclusion_from_json(read_whole_file(file)).reason;
  } catch (const std::runtime_error& error) {
    return file.string() + " is damaged: " + error.what();
  }
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
  return exclusion;
}

fs::path exclusions_folder(fs::path record_file) {
  return record_file.replace_extension(kFolderEnding);
}

void exclude_cell(const fs::path& record_file, const CellExclusion& exclusion) {
  const fs::path file = exclusion_file(record_file, exclusion.content_hash);
  std::error_code error;
  create_folders(file.parent_path(), error);
  if (error) throw_unwritable(file.parent_path(), error.value());
  write_atomically(file, to_json(exclusion));
}

bool include_cell(const fs::path& record_file, const std::string& content_hash) {
  return fs::remove(exclusion_file(record_file, content_hash));
}

std::optional<std::string> exclusion_reason(const fs::path& record_file,
                                            const std::string& content_hash) {
  const fs::path file = exclusion_file(record_file, content_hash);
  std::error_code ignored;
  if (!fs::exists(file, ignored)) return std::nullopt;
  return reason_in(file);
}

StoreExclusions exclusions_of_store(const fs::path& runs) {
  std::set<fs::path> files;
  if (!fs::exists(runs / "sweeps")) return {};
  for (const auto& folder : fs::directory_iterator(runs / "sweeps")) {
    if (folder.path().extension() != kFolderEnding) continue;
    for (const auto& file : fs::directory_iterator(folder.path())) {
      if (file.path().extension() == ".json" && is_hash(file.path().stem().string())) {
        files.insert(file.path());
      }
    }
  }
  StoreExclusions exclusions;
  for (const fs::path& file : files) {
    exclusions[file.stem().string()].push_back(
        {file.parent_path().stem().string(), reason_in(file)});
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
