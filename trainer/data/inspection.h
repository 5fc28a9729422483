// What is in a set beyond its counts: how its tokenizer cuts words, what stands in it twice, and
// how much of the held-out text stands in train as well.
//
// Overlap is looked for as in "Language Models are Few-Shot Learners" (Brown et al. 2020, appendix
// C): runs of 13 words, parted at white space, ASCII letters in lower case, ASCII punctuation left
// out. Runs do not reach across pieces. They are compared by 64-bit hashes: n held-out runs and m
// of train meet by accident n m / 2^64 times.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "trainer/data/data_set.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

inline constexpr int64_t kRunWords = 13;

struct InspectOptions {
  // Parts documents, whatever the tokenizer says: of an import that was told it.
  std::optional<uint32_t> document_mark = {};
  int64_t max_runs = int64_t{1} << 24;  // compared of a held-out split: more are sampled by hash
};

// Counts of pieces mean nothing where Inspection::knows_pieces is false.
struct SplitContent {
  int64_t pieces = 0;
  int64_t repeated_pieces = 0;  // stood in the split before, id for id
  int64_t tokens = 0;           // without the ends of documents
  int64_t used_ids = 0;         // of the vocabulary
  int64_t text_bytes = 0;       // decoded; 0 where there is no tokenizer
  int64_t words = 0;            // between white space
};

// Of val or test with train.
struct SplitOverlap {
  int64_t pieces_in_train = 0;  // id for id
  int64_t sampled_one_in = 1;   // of the runs: chosen by their hash
  int64_t runs = 0;             // compared
  int64_t runs_in_train = 0;
  int64_t pieces = 0;          // with a compared run
  int64_t touched_pieces = 0;  // of those, with one that stands in train
  std::string example;         // the first run found, as compared; of words only
};

struct Inspection {
  bool of_words = true;      // false: without a tokenizer runs are of ids
  bool knows_pieces = true;  // false: neither a tokenizer nor a mark says where documents end
  std::map<Split, SplitContent> content;
  std::map<Split, SplitOverlap> overlap;  // of held-out splits, where there is a train split
};

// Reads all of the set, the held-out splits twice. `tokenizer` null: ids alone. Where
// ends of documents are not known, and in pieces of over 65536 ids, parts of that length are read
// as pieces. Memory: 8 bytes a piece and a compared run, and 16 MiB a held-out split. `progress`
// hears how many tokens have been read, and of how many. ConfigError: a damaged shard.
Inspection inspect_data_set(const DataSetInfo& set, const Tokenizer* tokenizer,
                            const InspectOptions& options,
                            const std::function<void(int64_t, int64_t)>& progress);

}  // namespace scalelaw
