// What an archive of runs (.tar.zst) holds: its first entry, manifest.json, names every file that
// follows with its size and hash. Nothing that it does not name is unpacked, and it may name only
// what a run folder holds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

inline constexpr int kArchiveVersion = 1;
inline constexpr const char* kManifestName = "manifest.json";

struct ArchivedFile {
  std::string name;  // below its run's folder: "attempts/0001.json"
  uint64_t bytes = 0;
  std::string xxh3_128;  // 32 hex digits
  bool operator==(const ArchivedFile&) const = default;
};

struct ArchivedRun {
  std::string folder;        // name below the store
  std::string content_hash;  // 32 hex digits
  std::vector<ArchivedFile> files;

  uint64_t bytes() const;  // may saturate
};

struct ArchiveManifest {
  std::string program_version;
  std::vector<ArchivedRun> runs;
  // Below RUNS/sweeps: records, "NAME.json", and their exclusions, "NAME.excluded/HASH.json".
  std::vector<ArchivedFile> sweeps;
  // Below RUNS/predictions, "NAME.json". No key where none: as archives had it before there were
  // any.
  std::vector<ArchivedFile> predictions;

  uint64_t files() const;
  uint64_t bytes() const;  // may saturate
};

// A name that a run's folder may have: letters, digits, "." "_" "-", not first a dot, at most 200
// bytes, and neither "sweeps" nor "predictions".
bool is_run_folder_name(std::string_view name);
// A sweep's record or a prediction: as a run's folder, with ".json".
bool is_sweep_record_name(std::string_view name);
// "NAME.json" where `name` is that of an exclusion, "NAME.excluded/HASH.json"; else "".
std::string record_of_exclusion(std::string_view name);
// What is carried of a run: config.yaml, run.json, metrics, attempts, window losses; with weights,
// checkpoints too.
bool is_carried_file(std::string_view name, bool weights);

// Of what is read whole: run.json, and config.yaml, an attempt or its cost. A record takes some kB,
// and 300 bytes more for each time that its run was interrupted.
inline constexpr uint64_t kMostRunRecordBytes = uint64_t{16} << 20;
inline constexpr uint64_t kMostRunNoteBytes = uint64_t{1} << 20;
// What an import would refuse of a run: another folder name than its hash asks for, a file that is
// no run's, one that stands twice or is too large, no run.json or config.yaml. "" where nothing.
std::string why_not_carried(const ArchivedRun& run);

// A sweep of 100,000 cells takes about 25 MB.
inline constexpr uint64_t kMostRecordBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMostExclusionBytes = uint64_t{64} << 10;
inline constexpr uint64_t kMostPredictionBytes = uint64_t{64} << 20;
inline constexpr uint64_t kMostSweepsBytes = uint64_t{256} << 20;  // all of the three
// What an import would refuse of records, exclusions and predictions, which it holds in memory:
// their sizes. "" where nothing.
std::string why_not_carried(const std::vector<ArchivedFile>& sweeps,
                            const std::vector<ArchivedFile>& predictions);

std::string to_json(const ArchiveManifest& manifest);
// std::runtime_error with what is wrong: no JSON, another format or version, a field missing or of
// another type, a name that may not be, one that stands twice, a run, a sweep or a prediction that
// is not carried, an exclusion without its sweep's record.
ArchiveManifest manifest_from_json(const std::string& text);

}  // namespace scalelaw
