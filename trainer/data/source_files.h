// Which files are to be read for their text: .txt (a file is a document) and .jsonl (a line is
// one), plain or compressed (.gz .xz .zst).
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

enum class TextFormat { kText, kJsonLines, kOther };

// By the name's suffixes, of which that of a compression is left out.
TextFormat text_format(std::string file_name, const SourceOptions& options);

bool is_compressed(const std::string& file_name);

// Reads every file and sets its hash and bytes. `progress` hears how many bytes have been read,
// from `done_bytes` on, which is raised. ConfigError: a file that cannot be opened;
// std::runtime_error: not be read.
void hash_sources(SourceList& list, int64_t& done_bytes,
                  const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
