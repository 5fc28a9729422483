// An archive of runs: its manifest alone, the file with the sweeps that an import would take, and,
// where the first byte is E, an archive that is made of the input, so that compression, checksums,
// sizes and hashes are right and what lies behind them is reached.
#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "sweeps/store/archive_reader.h"
#include "sweeps/store/import_sweeps.h"
#include "sweeps/store/sweep_predictions.h"
#include "tests/fuzz/fuzz_target.h"
#include "trainer/hash.h"
#include "trainer/prediction.h"
#include "trainer/run_digests.h"
#include "trainer/sweep_record.h"
#include "trainer/utf8.h"

namespace scalelaw {
namespace {

constexpr std::string_view kBelowSweeps = "sweeps/", kBelowPredictions = "predictions/";

// "" of a record.
std::string require_record(const ArchiveManifest& manifest, const std::string& name) {
  std::string record = record_of_exclusion(name);
  require(record.empty() || std::ranges::find(manifest.sweeps, record, &ArchivedFile::name) !=
                                manifest.sweeps.end(),
          "with each exclusion comes its sweep's record");
  return record;
}

void check_manifest(const std::string& text) {
  const ArchiveManifest manifest = manifest_from_json(text);
  require(to_json(manifest_from_json(to_json(manifest))) == to_json(manifest),
          "a manifest reads back the same");
  for (const ArchivedRun& run : manifest.runs) {
    require(is_run_folder_name(run.folder), "runs' folders have runs' names");
  }
  for (const ArchivedFile& sweep : manifest.sweeps) require_record(manifest, sweep.name);
  for (const ArchivedFile& prediction : manifest.predictions) {
    require(is_sweep_record_name(prediction.name), "predictions have names as records have");
  }
}

// Named as its file, as it was registered, and of some sweep.
void require_of_a_sweep(const SweepFiles& files, const std::string& path) {
  const std::string name = std::filesystem::path(path).stem().string();
  const Prediction prediction = registered_prediction_from_json(files.at(path));
  require(prediction.name == name, "a prediction has its file's name");
  require(std::ranges::any_of(files,
                              [&](const auto& file) {
                                const auto& [record, content] = file;
                                return record.starts_with(kBelowSweeps) &&
                                       record.find('/', kBelowSweeps.size()) == record.npos &&
                                       is_of_sweep(prediction, sweep_record_from_json(content));
                              }),
          "a prediction is of a sweep");
}

// Files of a manifest that was read.
void check_sweeps(const ArchiveManifest& manifest, const SweepFiles& files) {
  for (const ImportedItem& item : look_at_sweeps(scratch_folder() / "store", files)) {
    if (item.name.starts_with(kBelowPredictions)) {
      require_of_a_sweep(files, item.name);
      continue;
    }
    const std::string name = item.name.substr(kBelowSweeps.size());
    const std::string record = require_record(manifest, name);
    if (record.empty()) continue;
    const std::vector<SweepCell> cells =
        sweep_record_from_json(files.at(std::string(kBelowSweeps) + record)).cells;
    require(std::ranges::find(cells, std::filesystem::path(name).stem().string(),
                              &SweepCell::content_hash) != cells.end(),
            "an exclusion is of a cell of its sweep");
  }
}

// What is read of an archive, by path.
SweepFiles read_all(ArchiveReader& reader) {
  SweepFiles files;
  reader.read([&](const std::string& path, std::span<const std::byte> piece) {
    const std::filesystem::path parts = path;
    require(!parts.is_absolute() && std::ranges::find(parts, "..") == parts.end(),
            "nothing is unpacked elsewhere");
    files[path].append(reinterpret_cast<const char*>(piece.data()), piece.size());
  });
  return files;
}

SweepFiles sweeps_of(const SweepFiles& files) {
  SweepFiles sweeps;
  for (const auto& [path, content] : files) {
    if (is_sweep_file(path)) sweeps[path] = content;
  }
  return sweeps;
}

void read_archive(const std::filesystem::path& file) {
  ArchiveReader reader(file, {.files = 100, .bytes = 1'000'000});
  check_sweeps(reader.manifest(), sweeps_of(read_all(reader)));
}

// An entry of an archive in the making. The letter says what it is; any other is a plain file.
struct MadeEntry {
  char kind = 'f';  // h: hard link, l: symbolic link, d: folder, p: pipe; its file's bytes in the
                    // manifest, but s: another size, x: another hash; t: in the tar alone, m: in
                    // the manifest alone; k: the store has it, o: has another one
  std::string name, content;

  unsigned type() const {
    return kind == 'l' ? AE_IFLNK : kind == 'd' ? AE_IFDIR : kind == 'p' ? AE_IFIFO : AE_IFREG;
  }
  bool is_plain() const { return type() == AE_IFREG && kind != 'h'; }
};

// Entries part at the byte 1E: a letter, the name up to the end of its line, the content.
std::vector<MadeEntry> entries_of(std::string_view bytes) {
  constexpr std::size_t kMost = 64;
  std::vector<MadeEntry> entries;
  while (!bytes.empty() && entries.size() < kMost) {
    const std::string_view entry = bytes.substr(0, bytes.find('\x1e'));
    bytes.remove_prefix(std::min(entry.size() + 1, bytes.size()));
    if (entry.empty()) continue;
    const std::string_view rest = entry.substr(1);
    const std::size_t line = std::min(rest.find('\n'), rest.size());
    const std::string_view name = rest.substr(0, line);
    if (first_invalid_utf8(name) < name.size()) continue;  // no JSON has it
    std::string content(rest.substr(std::min(line + 1, rest.size())));
    if (name.starts_with(kBelowPredictions) && content.find("\n}") != content.npos) {
      content = with_record_hash(std::move(content));  // which no accident makes
    }
    entries.push_back({entry.front(), std::string(name), std::move(content)});
  }
  return entries;
}

ArchiveManifest manifest_of(const std::vector<MadeEntry>& entries) {
  ArchiveManifest manifest;
  for (const MadeEntry& entry : entries) {
    if (entry.kind == 't') continue;
    ArchivedFile file{"", entry.content.size() + (entry.kind == 's' ? 1 : 0),
                      hash_hex(entry.kind == 'x' ? entry.content + "x" : entry.content)};
    const std::size_t slash = entry.name.find('/');
    const std::string folder = entry.name.substr(0, slash);
    file.name = slash == std::string::npos ? "" : entry.name.substr(slash + 1);
    if (folder == "sweeps" || folder == "predictions") {
      (folder == "sweeps" ? manifest.sweeps : manifest.predictions).push_back(file);
      continue;
    }
    auto run = std::ranges::find(manifest.runs, folder, &ArchivedRun::folder);
    if (run == manifest.runs.end()) {
      // Of the hash a folder's name has the beginning.
      std::string start = folder.substr(folder.size() - std::min<std::size_t>(folder.size(), 12));
      if (first_invalid_utf8(start) < start.size()) start.clear();  // begins within a letter
      manifest.runs.push_back({folder, start + std::string(32 - start.size(), '0'), {}});
      run = std::prev(manifest.runs.end());
    }
    run->files.push_back(file);
  }
  return manifest;
}

void write_entry(archive* tar, const MadeEntry& made) {
  const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                            &archive_entry_free);
  archive_entry_set_pathname(entry.get(), made.name.c_str());
  archive_entry_set_filetype(entry.get(), made.type());
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(made.content.size()));
  if (made.kind == 'l') archive_entry_set_symlink(entry.get(), "/etc/passwd");
  if (made.kind == 'h') archive_entry_set_hardlink(entry.get(), "/etc/passwd");
  if (archive_write_header(tar, entry.get()) < ARCHIVE_WARN) return;  // a name that no tar can hold
  if (made.is_plain()) archive_write_data(tar, made.content.data(), made.content.size());
}

std::filesystem::path write_archive(const std::string& manifest,
                                    const std::vector<MadeEntry>& entries) {
  std::filesystem::path file = scratch_folder() / "made.tar.zst";
  const std::unique_ptr<archive, decltype(&archive_write_free)> tar(archive_write_new(),
                                                                    &archive_write_free);
  archive_write_set_format_pax_restricted(tar.get());
  archive_write_add_filter_zstd(tar.get());
  require(archive_write_open_filename(tar.get(), file.c_str()) == ARCHIVE_OK, "it can be written");
  write_entry(tar.get(), {'f', kManifestName, manifest});
  for (const MadeEntry& entry : entries) {
    if (entry.kind != 'm') write_entry(tar.get(), entry);
  }
  require(archive_write_close(tar.get()) == ARCHIVE_OK, "it can be written to its end");
  return file;
}

// What the store has already of the sweeps, whose names the manifest's reader has let pass.
void fill_store(const std::vector<MadeEntry>& entries) {
  std::filesystem::remove_all(scratch_folder() / "store");
  for (const MadeEntry& entry : entries) {
    if ((entry.kind != 'k' && entry.kind != 'o') || !is_sweep_file(entry.name)) continue;
    scratch_file("store/" + entry.name, entry.content + (entry.kind == 'o' ? "\n" : ""));
  }
}

void read_made(std::string_view bytes) {
  const std::vector<MadeEntry> entries = entries_of(bytes);
  const ArchiveManifest asked = manifest_of(entries);
  const std::string text = to_json(asked);
  const std::filesystem::path file = write_archive(text, entries);
  const ArchiveManifest manifest = manifest_from_json(text);
  require(to_json(manifest) == text, "a manifest reads back the same");

  // Sweeps also without the archive around them, where one fault would hide all the others.
  SweepFiles sweeps;
  for (const MadeEntry& entry : entries) {
    if (entry.kind != 't' && is_sweep_file(entry.name)) sweeps[entry.name] = entry.content;
  }
  fill_store(entries);
  try {
    check_sweeps(manifest, sweeps);
  } catch (const std::runtime_error&) {  // the usual end
  }

  ArchiveReader reader(file, {.files = 100, .bytes = 1'000'000});
  const SweepFiles files = read_all(reader);
  require(files.size() == entries.size(), "all of the entries were read, and nothing else");
  for (const MadeEntry& entry : entries) {
    require(entry.is_plain() && std::string_view("tmsx").find(entry.kind) == std::string_view::npos,
            "what is no plain file, or not as the manifest states, is refused");
    const auto found = files.find(entry.name);
    require(found != files.end() && found->second == entry.content, "a file is read as it is");
  }
  check_sweeps(reader.manifest(), sweeps_of(files));
}

}  // namespace

void read_hostile(std::string_view bytes) {
  if (bytes.starts_with('E')) {
    read_made(bytes.substr(1));
    return;
  }
  try {
    check_manifest(std::string(bytes));
  } catch (const std::runtime_error&) {  // the usual end
  }
  read_archive(scratch_file("runs.tar.zst", bytes));
}

}  // namespace scalelaw
