// An archive of runs that came from elsewhere, read without trust: tar in zstd and nothing else,
// the manifest first, then exactly the files that it names, once each, plain files of the size and
// hash that it states. Unpacks nothing itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "sweeps/store/archive_manifest.h"

namespace scalelaw {

struct ArchiveLimits {
  uint64_t files = 1'000'000;
  uint64_t bytes = 100'000'000'000;  // unpacked, all files together
};

class ArchiveReader {
 public:
  // Reads the manifest. ConfigError: no file, another format, a manifest that is none, asks for
  // more than `limits`, or is longer than one of so many files could be (or than 257 MiB).
  ArchiveReader(std::filesystem::path archive, const ArchiveLimits& limits);
  ~ArchiveReader();

  const ArchiveManifest& manifest() const { return manifest_; }

  // Passes on every file in pieces, in the archive's order; of an empty file one empty piece.
  // ConfigError, perhaps after some pieces: an entry that the manifest does not name or that stands
  // twice, a link, folder or device, another size or hash, a damaged archive, one that ends early.
  using Piece = std::function<void(const std::string& path, std::span<const std::byte> bytes)>;
  void read(const Piece& piece);

 private:
  struct Tar;
  [[noreturn]] void fail(const std::string& what) const;
  bool next_entry();
  std::size_t read_data(std::span<std::byte> buffer);
  void read_entry(const std::string& path, const ArchivedFile& expected, const Piece& piece);

  std::filesystem::path path_;
  std::unique_ptr<Tar> tar_;
  ArchiveManifest manifest_;
};

}  // namespace scalelaw
