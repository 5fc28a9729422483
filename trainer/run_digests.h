// Hashes (XXH3, trainer/hash.h) by which the record of a complete run knows its own text and the
// results beside it. They find accidents and edits; who made a folder they do not say.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "trainer/run_record.h"

namespace scalelaw {

// Of the file's bytes; of a safetensors file of its header alone, which holds the hash of its data
// (trainer/safetensors.h). std::runtime_error where it cannot be read.
std::string digest_of(const std::filesystem::path& file);

// By name below the folder: of metrics.jsonl, whose text is given, and of window losses and the
// checkpoint of `step` where they are there.
std::map<std::string, std::string> digests_of_results(const RunFolder& folder, int64_t step,
                                                      std::string_view metrics);

// A record's text with the hash of itself, taken with zeros for its digits, as its last key.
std::string with_record_hash(std::string text);
// False: was altered after it was written. A text without such a hash, as before there was one,
// says nothing.
bool has_own_hash(std::string_view text);
bool has_record_hash(std::string_view text);  // right or wrong

}  // namespace scalelaw
