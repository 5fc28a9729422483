// Documents out of files (trainer/data/source_files.h). Text must be UTF-8 and is passed on
// unchanged.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "trainer/data/source_files.h"

namespace scalelaw {

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
