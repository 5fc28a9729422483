// An archive of runs: its manifest alone, and the file with the sweeps that an import would take.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "sweeps/store/archive_reader.h"
#include "sweeps/store/import_sweeps.h"
#include "tests/fuzz/fuzz_target.h"
#include "trainer/sweep_record.h"

namespace scalelaw {
namespace {

// "" of a record.
std::string require_record(const ArchiveManifest& manifest, const std::string& name) {
  std::string record = record_of_exclusion(name);
  require(record.empty() || std::ranges::find(manifest.sweeps, record, &ArchivedFile::name) !=
                                manifest.sweeps.end(),
          "with each exclusion comes its sweep's record");
  return record;
}

}  // namespace

void read_hostile(std::string_view bytes) {
  try {
    const ArchiveManifest manifest = manifest_from_json(std::string(bytes));
    require(to_json(manifest_from_json(to_json(manifest))) == to_json(manifest),
            "a manifest reads back the same");
    for (const ArchivedRun& run : manifest.runs) {
      require(is_run_folder_name(run.folder), "runs' folders have runs' names");
    }
    for (const ArchivedFile& sweep : manifest.sweeps) require_record(manifest, sweep.name);
  } catch (const std::runtime_error&) {  // the usual end
  }
  ArchiveReader reader(scratch_file("runs.tar.zst", bytes), {.files = 100, .bytes = 1'000'000});
  const std::string_view folder = kSweepsFolder;
  SweepFiles files;
  reader.read([&](const std::string& path, std::span<const std::byte> piece) {
    require(path.find("..") == std::string::npos && !path.starts_with('/'),
            "nothing is unpacked elsewhere");
    if (!path.starts_with(folder)) return;
    files[path.substr(folder.size())].append(reinterpret_cast<const char*>(piece.data()),
                                             piece.size());
  });
  for (const ImportedItem& item : look_at_sweeps(scratch_folder() / "store", files)) {
    const std::string name = item.name.substr(folder.size());
    const std::string record = require_record(reader.manifest(), name);
    if (record.empty()) continue;
    const std::vector<SweepCell> cells = sweep_record_from_json(files.at(record)).cells;
    require(std::ranges::find(cells, std::filesystem::path(name).stem().string(),
                              &SweepCell::content_hash) != cells.end(),
            "an exclusion is of a cell of its sweep");
  }
}

}  // namespace scalelaw
