// Runs of an archive into a store. Nothing of it is seen in the store before all of it was checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "sweeps/store/archive_reader.h"

namespace scalelaw {

enum class ImportEnd {
  kImported,  // or would be
  kKept,      // the store has the same already
  kRefused,   // the store has something else under that name
};

struct ImportedItem {
  // A run's folder, "sweeps/NAME.json", "sweeps/NAME.excluded/HASH.json", "predictions/NAME.json"
  std::string name;
  ImportEnd end = ImportEnd::kImported;
  std::string why;  // refused: what is there
  // The name; of an exclusion the run, its sweep and the reason, of a prediction its name and when
  // it was registered. Not escaped.
  std::string shown;
  // Of an exclusion or a prediction: the sweeps' records, by name, that it goes with.
  std::vector<std::string> records = {};
};

struct ImportResult {
  std::vector<ImportedItem> items;
  uint64_t bytes = 0;  // of what was imported
};

// Unpacks to RUNS/.import-XXXXXX, checks every size and hash and that record, attempts and
// configuration of each folder are of the run it is named after (sweeps/store/folder_identity.h),
// then renames one folder after another into the store, over nothing. An exclusion or a prediction
// is imported only where its sweep's record is, or the store has the same, and over no other of its
// run or name. What a crash leaves aside `scalelaw runs clean` removes; the same command goes on.
// With `dry_run` it reads the whole archive, checks hashes, sweeps' records, exclusions and
// predictions and writes nothing: an archive that passes may still hold folders of other runs, or
// more than the disk.
// ConfigError: as ArchiveReader and look_at_sweeps(), and a folder that holds another run than its
// name says; then the store is as it was. std::runtime_error: the disk.
ImportResult import_runs(const std::filesystem::path& archive, const std::filesystem::path& runs,
                         const ArchiveLimits& limits, bool dry_run);

inline constexpr const char* kImportPrefix = ".import-";

}  // namespace scalelaw
