// `scalelaw data build`: sources -> a complete data set folder, or nothing at all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/data/corpus.h"
#include "trainer/data/data_set.h"
#include "trainer/data/tokenizer.h"

namespace scalelaw {

struct BuildOptions {
  std::filesystem::path data_root = "data";
  std::string name;                  // of letters, digits, and . _ - ; not starting with .
  std::vector<std::string> sources;  // of train, and of what is shared out by hash; "-": stdin
  std::vector<double> weights;       // of `sources` in train, by tokens; empty: one shuffle of all
  int64_t train_tokens = 0;          // the mixture's, repeating what runs out; 0: until it does
  std::map<Split, std::vector<std::string>> given_sources;  // of val or test alone
  CorpusOptions corpus;
  // bytes | bpe:PIECES | unigram:PIECES | set:NAME (another data set's) | a SentencePiece model
  // file
  std::string tokenizer = "bpe:8192";
  int64_t tokenizer_sample_bytes = 10'000'000;  // of train's shuffle, from its start
  int64_t max_memory_bytes = 0;  // of this process while it trains a tokenizer, whose sample is cut
                                 // to fit; 0: no limit
  int threads = 0;               // 0: one a core
  bool replace = false;          // a set of this name with other content
  std::string command_line;      // kept in data_set.json
};

// One stage of a build: "receiving" (standard input), "hashing", "reading", "tokenizer",
// "encoding", "mixing", "comparing". The tokenizer's training cannot say how far it is: done_bytes
// stays 0, total_bytes is its sample's.
struct BuildProgress {
  std::string_view stage;
  int64_t done_bytes = 0;
  int64_t total_bytes = 0;  // 0: not known
};

struct BuildResult {
  DataSetInfo set;
  bool was_there = false;  // same options, same sources: nothing was done
};

// ConfigError for everything that is the user's: names, sources, tokenizer, a set of other content
// under this name, another build of this name that lives, a folder that cannot be written. Nothing
// is left behind then. Texts go through a file on disk: memory does not grow with their size.
// `progress` may be called from another thread, never from two at a time.
BuildResult build_data_set(const BuildOptions& options,
                           const std::function<void(const BuildProgress&)>& progress);

// A set's tokenizer. ConfigError: not there, damaged, or not the one its tokens were made by.
Tokenizer open_tokenizer(const DataSetInfo& set);

}  // namespace scalelaw
