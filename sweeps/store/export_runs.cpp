#include "sweeps/store/export_runs.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <utility>

#include "sweeps/store/archive_manifest.h"
#include "sweeps/store/export_sweeps.h"
#include "sweeps/store/folder_identity.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/hash.h"
#include "trainer/prediction.h"
#include "trainer/writable_folder.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

void read_in_pieces(const fs::path& file,
                    const std::function<void(std::span<const std::byte>)>& piece) {
  std::ifstream stream(file, std::ios::binary);
  std::string chunk(kChunkBytes, '\0');
  if (!stream) throw std::runtime_error(file.string() + ": cannot be opened");
  while (stream) {
    stream.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    const auto got = static_cast<std::size_t>(stream.gcount());
    if (got > 0) piece(std::as_bytes(std::span(chunk).first(got)));
  }
  if (stream.bad() || !stream.eof()) throw std::runtime_error(file.string() + ": cannot be read");
}

ArchivedFile described(const fs::path& file, std::string name) {
  ArchivedFile described{std::move(name), 0, ""};
  Hasher hasher;
  read_in_pieces(file, [&](std::span<const std::byte> piece) {
    described.bytes += piece.size();
    hasher.add(piece);
  });
  described.xxh3_128 = hasher.hex();
  return described;
}

ArchivedRun described(const fs::path& folder, const StoreRun& run, bool weights) {
  ArchivedRun described_run{run.name, text_fact(run.facts, "content_hash"), {}};
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    std::string name = entry.path().lexically_relative(folder).string();
    if (entry.is_regular_file() && is_carried_file(name, weights)) {
      described_run.files.push_back(described(entry.path(), std::move(name)));
    }
  }
  std::ranges::sort(described_run.files, {}, &ArchivedFile::name);
  return described_run;
}

// The stream under an archive has failed; its owner knows why.
struct StreamFailed {};

// tar in zstd, without anything of this machine: no owner, no times.
class TarWriter {
 public:
  explicit TarWriter(std::ostream& stream) : stream_(stream) {
    check(archive_write_set_format_pax_restricted(tar_.get()));
    check(archive_write_add_filter_zstd(tar_.get()));
    // Else zeros follow the compressed stream, as on a tape.
    check(archive_write_set_bytes_in_last_block(tar_.get(), 1));
    check(archive_write_open(tar_.get(), &stream_, nullptr, &TarWriter::write, nullptr));
  }

  void add(const std::string& name, std::string_view content) {
    begin(name, content.size());
    add_piece(std::as_bytes(std::span(content)));
  }
  void add(const std::string& name, const fs::path& file, const ArchivedFile& expected) {
    begin(name, expected.bytes);
    Hasher hasher;
    uint64_t bytes = 0;
    read_in_pieces(file, [&](std::span<const std::byte> piece) {
      bytes += piece.size();
      hasher.add(piece);
      if (bytes <= expected.bytes) add_piece(piece);
    });
    if (bytes != expected.bytes || hasher.hex() != expected.xxh3_128) {
      throw std::runtime_error(file.string() + ": changed while it was read");
    }
  }
  void close() { check(archive_write_close(tar_.get())); }

 private:
  static la_ssize_t write(archive*, void* stream, const void* data, std::size_t bytes) {
    auto& out = *static_cast<std::ostream*>(stream);
    out.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    return out ? static_cast<la_ssize_t>(bytes) : -1;
  }

  void begin(const std::string& name, uint64_t bytes) {
    const std::unique_ptr<archive_entry, decltype(&archive_entry_free)> entry(archive_entry_new(),
                                                                              &archive_entry_free);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    check(archive_write_header(tar_.get(), entry.get()));
  }

  void add_piece(std::span<const std::byte> piece) {
    if (archive_write_data(tar_.get(), piece.data(), piece.size()) < 0) check(ARCHIVE_FATAL);
  }

  void check(int code) {
    if (code == ARCHIVE_OK) return;
    if (!stream_) throw StreamFailed();
    const char* text = archive_error_string(tar_.get());
    throw std::runtime_error(std::string("the archive cannot be written: ") + (text ? text : "?"));
  }

  std::ostream& stream_;
  std::unique_ptr<archive, decltype(&archive_write_free)> tar_{archive_write_new(),
                                                               &archive_write_free};
};

bool excluded_by(const StoreRun& run, const std::vector<std::string>& sweeps) {
  return std::ranges::any_of(run.exclusions, [&](const SweepExclusion& each) {
    return std::ranges::find(sweeps, each.sweep) != sweeps.end();
  });
}

void require_exportable(const std::vector<StoreRun>& chosen) {
  if (chosen.empty()) {
    throw ConfigError(
        "no run is chosen; `scalelaw runs list` with the same --where shows which are");
  }
  for (const StoreRun& run : chosen) {
    if (!ended(run.state)) {
      throw ConfigError(
          escaped(run.name) + ": is " + std::string(name(run.state)) +
          ", and only runs with a result are exported; `state == complete` in --where "
          "leaves the others out");
    }
  }
}

bool lacks_weights(const ArchivedRun& run) {
  return std::ranges::none_of(
      run.files, [](const ArchivedFile& file) { return file.name.starts_with("checkpoints/"); });
}

// "" where nothing is.
std::string against_importing(const fs::path& runs, const ArchivedRun& run) {
  if (std::string why = why_not_carried(run); !why.empty()) return why;
  const std::string why = why_not_run({runs / run.folder}, run.content_hash);
  return why.empty() ? "" : escaped(run.folder) + " " + why;
}

ArchiveManifest manifest_of(const fs::path& runs, const std::vector<StoreRun>& chosen,
                            const ExportOptions& options, std::vector<std::string>& left_behind) {
  ArchiveManifest manifest;
  manifest.program_version = options.program_version;
  for (const StoreRun& run : chosen) {
    manifest.runs.push_back(described(runs / run.name, run, options.weights));
    const std::string why = against_importing(runs, manifest.runs.back());
    if (!why.empty()) {
      throw ConfigError("no import would take it: " + why +
                        "; `scalelaw runs verify` says what to do, --where may leave it out");
    }
  }
  std::set<std::string> predictions;  // which several sweeps may name
  for (const std::string& sweep : options.sweeps) {
    const SweepParts parts = parts_of_sweep(runs, sweep);
    for (const std::string& name : parts.sweeps) {
      manifest.sweeps.push_back(described(runs / "sweeps" / name, name));
    }
    predictions.insert(parts.predictions.begin(), parts.predictions.end());
    left_behind.insert(left_behind.end(), parts.left_behind.begin(), parts.left_behind.end());
  }
  for (const std::string& name : predictions) {
    manifest.predictions.push_back(described(runs / kPredictionsFolder / name, name));
  }
  if (const std::string why = why_not_carried(manifest.sweeps, manifest.predictions);
      !why.empty()) {
    throw ConfigError("no import would take it: " + why +
                      "; --where 'sweeps == NAME' exports the runs alone");
  }
  return manifest;
}

void write_tar(std::ostream& stream, const fs::path& runs, const ArchiveManifest& manifest) {
  TarWriter tar(stream);
  tar.add(kManifestName, to_json(manifest));
  for (const ArchivedRun& run : manifest.runs) {
    for (const ArchivedFile& file : run.files) {
      tar.add(run.folder + "/" + file.name, runs / run.folder / file.name, file);
    }
  }
  for (const ArchivedFile& sweep : manifest.sweeps) {
    tar.add("sweeps/" + sweep.name, runs / "sweeps" / sweep.name, sweep);
  }
  for (const ArchivedFile& prediction : manifest.predictions) {
    const std::string path = std::string(kPredictionsFolder) + "/" + prediction.name;
    tar.add(path, runs / path, prediction);
  }
  tar.close();
}

}  // namespace

Exported export_runs(const fs::path& runs, std::vector<StoreRun> chosen, const fs::path& archive,
                     const ExportOptions& options) {
  Exported done;
  std::erase_if(chosen, [&](const StoreRun& run) {
    const bool lacks_result = !ended(run.state) && excluded_by(run, options.sweeps);
    if (lacks_result) {
      done.left_out.push_back(run.name + ": is " + std::string(name(run.state)) + ", and " +
                              in_words(run.exclusions));
    }
    return lacks_result;
  });
  require_exportable(chosen);
  if (fs::exists(fs::symlink_status(archive))) {
    throw ConfigError("--out " + archive.string() +
                      ": is there already; remove it or choose another name");
  }
  if (const std::string why =
          why_not_writable(archive.has_parent_path() ? archive.parent_path() : fs::path("."));
      !why.empty()) {
    throw ConfigError("--out " + archive.string() + ": " + why);
  }
  const ArchiveManifest manifest = manifest_of(runs, chosen, options, done.left_behind);
  write_atomically(archive, [&](std::ostream& stream) {
    try {
      write_tar(stream, runs, manifest);
    } catch (const StreamFailed&) {
      return;  // write_atomically says why
    }
  });
  done.runs = manifest.runs.size();
  done.files = manifest.files();
  done.bytes = manifest.bytes();
  done.archive_bytes = fs::file_size(archive);
  if (options.weights) {
    done.without_weights =
        static_cast<uint64_t>(std::ranges::count_if(manifest.runs, lacks_weights));
  }
  return done;
}

}  // namespace scalelaw
