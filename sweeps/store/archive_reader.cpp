#include "sweeps/store/archive_reader.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/hash.h"
#include "trainer/number.h"
#include "trainer/prediction.h"

namespace scalelaw {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr uint64_t kMostManifestBytes = uint64_t{256} << 20;

// Of a file with the longest names that may be, and its share of its run; beside all files.
constexpr uint64_t kBytesAFile = 400, kBytesBeside = uint64_t{1} << 20;
constexpr uint64_t kValuesAFile = 8, kValuesBeside = 64;

uint64_t most_manifest_bytes(const ArchiveLimits& limits) {
  return kBytesBeside + std::min(limits.files, kMostManifestBytes / kBytesAFile) * kBytesAFile;
}

// Before it is a tree, in which each takes a hundred bytes: "[[],[],[], …".
bool has_values_of_more(const std::string& manifest, uint64_t files) {
  const auto values = static_cast<uint64_t>(
      std::ranges::count_if(manifest, [](char c) { return c == '[' || c == '{' || c == ','; }));
  return values > kValuesBeside && (values - kValuesBeside) / kValuesAFile > files;
}

}  // namespace

struct ArchiveReader::Tar {
  std::unique_ptr<archive, decltype(&archive_read_free)> reader{archive_read_new(),
                                                                &archive_read_free};
  archive_entry* entry = nullptr;
};

ArchiveReader::ArchiveReader(std::filesystem::path archive, const ArchiveLimits& limits)
    : path_(std::move(archive)), tar_(std::make_unique<Tar>()) {
  if (!std::filesystem::exists(path_)) throw ConfigError(path_.string() + ": no such file");
  // One filter and one format: a foreign file reaches no other parser.
  archive_read_support_filter_zstd(tar_->reader.get());
  archive_read_support_format_tar(tar_->reader.get());
  if (archive_read_open_filename(tar_->reader.get(), path_.c_str(), kChunkBytes) != ARCHIVE_OK ||
      !next_entry()) {
    const char* text = archive_error_string(tar_->reader.get());
    fail(std::string("is no .tar.zst: ") + (text != nullptr ? text : "it is empty"));
  }
  // The library takes plain tar, too, and zstd in zstd.
  if (archive_filter_count(tar_->reader.get()) != 2 ||
      archive_filter_code(tar_->reader.get(), 0) != ARCHIVE_FILTER_ZSTD) {
    fail("is no .tar.zst: a tar must stand in it packed by zstd, once");
  }
  const char* name = archive_entry_pathname(tar_->entry);
  if (name == nullptr || std::string(name) != kManifestName) {
    fail("its first entry is not " + std::string(kManifestName));
  }
  std::string text;
  std::vector<std::byte> chunk(kChunkBytes);
  while (const std::size_t got = read_data(chunk)) {
    text.append(reinterpret_cast<const char*>(chunk.data()), got);
    if (text.size() > most_manifest_bytes(limits)) break;
  }
  if (text.size() > most_manifest_bytes(limits) || has_values_of_more(text, limits.files)) {
    fail("its manifest is too long for " + std::to_string(limits.files) + " files (--max-files)");
  }
  try {
    manifest_ = manifest_from_json(text);
  } catch (const std::runtime_error& error) {
    fail("its manifest " + std::string(error.what()));
  }
  if (manifest_.files() > limits.files) {
    fail("it holds " + std::to_string(manifest_.files()) + " files, more than " +
         std::to_string(limits.files) + " (--max-files)");
  }
  if (manifest_.bytes() > limits.bytes) {
    fail("it holds " + human(static_cast<double>(manifest_.bytes())) + " bytes, more than " +
         human(static_cast<double>(limits.bytes)) + " (--max-bytes)");
  }
}

ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::fail(const std::string& what) const {
  throw ConfigError(path_.string() + ": " + what + "; nothing was imported");
}

bool ArchiveReader::next_entry() {
  const int code = archive_read_next_header(tar_->reader.get(), &tar_->entry);
  if (code == ARCHIVE_EOF) return false;
  if (code != ARCHIVE_OK) {
    const char* text = archive_error_string(tar_->reader.get());
    fail(std::string("is damaged or cut short: ") + (text != nullptr ? text : "a bad header"));
  }
  return true;
}

std::size_t ArchiveReader::read_data(std::span<std::byte> buffer) {
  const la_ssize_t got = archive_read_data(tar_->reader.get(), buffer.data(), buffer.size());
  if (got < 0) {
    const char* text = archive_error_string(tar_->reader.get());
    fail(std::string("is damaged or cut short: ") + (text != nullptr ? text : "bad data"));
  }
  return static_cast<std::size_t>(got);
}

void ArchiveReader::read(const Piece& piece) {
  std::map<std::string, ArchivedFile> expected;
  for (const ArchivedRun& run : manifest_.runs) {
    for (const ArchivedFile& file : run.files) expected[run.folder + "/" + file.name] = file;
  }
  for (const ArchivedFile& sweep : manifest_.sweeps) expected["sweeps/" + sweep.name] = sweep;
  for (const ArchivedFile& prediction : manifest_.predictions) {
    expected[std::string(kPredictionsFolder) + "/" + prediction.name] = prediction;
  }
  while (next_entry()) {
    const char* name = archive_entry_pathname(tar_->entry);
    const std::string path = name == nullptr ? "" : name;
    const auto found = expected.find(path);
    if (found == expected.end()) {
      fail("holds " + escaped(path) + ", which its manifest does not name");
    }
    read_entry(path, found->second, piece);
    expected.erase(found);
  }
  if (!expected.empty()) {
    fail("ends without " + std::to_string(expected.size()) + " files of its manifest, " +
         expected.begin()->first + " among them");
  }
}

void ArchiveReader::read_entry(const std::string& path, const ArchivedFile& expected,
                               const Piece& piece) {
  archive_entry* entry = tar_->entry;
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr ||
      archive_entry_symlink(entry) != nullptr) {
    fail(path + " is no plain file");
  }
  if (archive_entry_size_is_set(entry) == 0 ||
      static_cast<uint64_t>(archive_entry_size(entry)) != expected.bytes) {
    fail(path + " has another size than the manifest states");
  }
  std::vector<std::byte> chunk(kChunkBytes);
  Hasher hasher;
  uint64_t bytes = 0;
  piece(path, {});
  while (const std::size_t got = read_data(chunk)) {
    bytes += got;
    if (bytes > expected.bytes) fail(path + " is longer than the manifest states");
    const std::span<const std::byte> read(chunk.data(), got);
    hasher.add(read);
    piece(path, read);
  }
  if (bytes != expected.bytes) fail(path + " is shorter than the manifest states");
  if (hasher.hex() != expected.xxh3_128) fail(path + " has another hash than the manifest states");
}

}  // namespace scalelaw
