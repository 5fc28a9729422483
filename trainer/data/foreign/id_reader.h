// The ids of a foreign file, in order and checked, in memory that does not grow with the file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "trainer/data/foreign/token_layout.h"

namespace scalelaw {

// Hands on all ids, block by block, and returns the hash of the bytes they were read from (32 hex
// digits). ConfigError: an id that is negative or not below `n_vocab` (names file, place from 0 and
// value), a file that has become shorter; std::runtime_error: the disk fails.
std::string read_ids(const TokenLayout& layout, int64_t n_vocab,
                     const std::function<void(std::span<const uint32_t>)>& sink);

}  // namespace scalelaw
