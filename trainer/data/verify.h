// Is a data set what it says it is; what does it look like.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/data/data_set.h"

namespace scalelaw {

// Reads everything: every shard's header, hash and ids, the tokenizer's hash, as many pieces as
// stated, each split's end. Of an imported set, whose documents may end in any way: headers, hashes
// and ids. ConfigError names file and fault.
void verify_data_set(const DataSetInfo& set);

// The complete sets under `data_root`, and the folders that hold a shard and no data_set.json:
// opening those says what they lack. Sorted. OutOfReach as data_set_names.
std::vector<std::string> names_to_verify(const std::filesystem::path& data_root);

struct Sample {
  Split split = Split::kTrain;
  int64_t piece = 0;   // from 0, in the shard's order
  int64_t tokens = 0;  // of the piece, without its end
  std::string start;   // its first characters, decoded; ids where the tokenizer is not here
  bool parted = true;  // false: which id parts documents is not known, and the split is one piece
};
// The first `pieces` of each split that hold a token, at most about `max_bytes` of each. An
// imported set's are parted by the id that its import named, else by its tokenizer's.
std::vector<Sample> sample_pieces(const DataSetInfo& set, int64_t pieces, int64_t max_bytes);

}  // namespace scalelaw
