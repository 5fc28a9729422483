// Cells that somebody left out of a sweep, by name and with a reason: they are not run, and every
// table says so. One file each, RUNS/sweeps/NAME.excluded/CONTENT_HASH.json, made in one step, so
// that several people may leave runs out at once. What a study leaves out, the sweeps of its file
// with settings of a command line (study_of() of trainer/sweep_record.h) leave out too.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

inline constexpr std::size_t kMostReasonBytes = 1000;

struct CellExclusion {
  std::string content_hash;  // 32 hex digits
  std::string folder;        // name below RUNS
  std::string reason;        // never empty, at most kMostReasonBytes
  std::string excluded_at;   // ISO 8601, UTC
  bool operator==(const CellExclusion&) const = default;
};

std::string to_json(const CellExclusion& exclusion);
// std::runtime_error with what is wrong: no JSON, a field missing or of another type, a hash that
// is none, no reason or a far longer one. Unknown keys are ignored.
CellExclusion exclusion_from_json(std::string_view text);

// Of a sweep with settings of a command line the study's record; empty of any other.
std::filesystem::path record_of_study(const std::filesystem::path& record_file);
// RUNS/sweeps/NAME.excluded, of RUNS/sweeps/NAME.json: the sweep's own
std::filesystem::path exclusions_folder(std::filesystem::path record_file);

// Replaces an earlier one of the cell. ConfigError where the store cannot be written; DiskFull
// (trainer/disk_space.h) or std::runtime_error for other faults of the disk.
void exclude_cell(const std::filesystem::path& record_file, const CellExclusion& exclusion);
// Whether the sweep itself had excluded it. Throws the same.
bool include_cell(const std::filesystem::path& record_file, const std::string& content_hash);
// Whether the sweep itself excludes it, whatever its study does.
bool has_own_exclusion(const std::filesystem::path& record_file, const std::string& content_hash);
// nullopt: not excluded. A file that is damaged excludes, and says so.
std::optional<std::string> exclusion_reason(const std::filesystem::path& record_file,
                                            const std::string& content_hash);

// Whatever sweeps of a store leave out: by content hash, of each the sweeps' names with the run's
// folder and their reasons, in the order of the names; damaged files as in exclusion_reason(). Only
// cells that the sweep's record names: what is left of a cell that is no longer asked for, or of a
// sweep without a record, is not in force. A record that cannot be read excludes as if it named
// all. std::runtime_error where a folder of them cannot be read.
struct SweepExclusion {
  std::string sweep, folder, reason;
};
using StoreExclusions = std::map<std::string, std::vector<SweepExclusion>>;
StoreExclusions exclusions_of_store(const std::filesystem::path& runs);

// "excluded from sweep ladder: a broken GPU"; several joined by "; ".
std::string in_words(const std::vector<SweepExclusion>& exclusions);

}  // namespace scalelaw
