// Documents out of files: .txt (a file is a document) and .jsonl (a line is one), plain or
// compressed (.gz .xz .zst). Text must be UTF-8 and is passed on unchanged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace scalelaw {

struct SourceOptions {
  std::string jsonl_key = "text";                     // holds the text of a line of a .jsonl file
  std::vector<std::string> text_suffixes = {".txt"};  // files whose whole content is a document
  std::vector<std::string> exclude;                   // shell patterns over SourceFile::label
  std::size_t most_document_bytes = std::size_t{1} << 30;  // of a file's text, of a whole line
};

struct SourceFile {
  std::filesystem::path path;
  // Name that does not depend on where the source lies: "FOLDER/sub/a.txt" within a source FOLDER,
  // else the file's own name.
  std::string label;
  int64_t bytes = 0;  // as stored
  int source = 0;     // the place of the source that it came from among those given
  std::string hash =
      {};  // of what is stored (trainer/hash.h), as hash_sources() read it; "": not yet
};

struct SourceList {
  std::vector<SourceFile> files;  // sorted by label
  int64_t other_files = 0;        // in folders and globs, of no suffix that is read
  int64_t excluded_files = 0;
};

// Files, folders (searched through, links to folders not followed) and globs. ConfigError: a source
// that is not there, a glob without match, a named file of another suffix, nothing to read at all.
SourceList find_sources(const std::vector<std::string>& sources, const SourceOptions& options);

// Reads every file and sets its hash and bytes. `progress` hears how many bytes have been read,
// from `done_bytes` on, which is raised. ConfigError: a file that cannot be opened;
// std::runtime_error: not be read.
void hash_sources(SourceList& list, int64_t& done_bytes,
                  const std::function<void(int64_t)>& progress);

struct Document {
  std::string text;
  int64_t line = 0;  // of a .jsonl file, from 1; 0: the whole file
};

// Passes on each document of the file, also empty ones. ConfigError names file and line (or byte):
// not UTF-8, not JSON, no such key, not a string, a damaged or cut-off compressed file, a document
// over most_document_bytes, and last, where the source has a hash, that what was read has another.
// Of a file's text no more than that is held in memory; of a line that and a piece of the file, and
// while it is parsed copies of it. `progress` hears how many stored bytes of the file have been
// read.
void read_documents(const SourceFile& source, const SourceOptions& options,
                    const std::function<void(Document)>& sink,
                    const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
