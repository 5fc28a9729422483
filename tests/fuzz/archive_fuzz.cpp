// An archive of runs: its manifest alone, and the file.
#include "sweeps/store/archive_reader.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  try {
    const ArchiveManifest manifest = manifest_from_json(std::string(bytes));
    require(to_json(manifest_from_json(to_json(manifest))) == to_json(manifest),
            "a manifest reads back the same");
    for (const ArchivedRun& run : manifest.runs) {
      require(is_run_folder_name(run.folder), "runs' folders have runs' names");
    }
  } catch (const std::runtime_error&) {  // the usual end
  }
  ArchiveReader reader(scratch_file("runs.tar.zst", bytes), {.files = 100, .bytes = 1'000'000});
  reader.read([](const std::string& path, std::span<const std::byte>) {
    require(path.find("..") == std::string::npos && !path.starts_with('/'),
            "nothing is unpacked elsewhere");
  });
}

}  // namespace scalelaw
