// Which of the token ids made elsewhere go into which split, decided in one reading of them all.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/data_set.h"
#include "trainer/data/foreign/token_layout.h"
#include "trainer/data/text_hash.h"

namespace scalelaw {

// The id that parts documents in files that do not say where they end.
struct DocumentMark {
  uint32_t id = 0;
  bool begins = false;  // stands before each document (llm.c), not behind it (nanoGPT)
};

// Of one role, their ids taken as one sequence: llm.c lets a document go on in the next file.
using TokenSources = std::vector<TokenLayout>;

struct ImportSources {
  TokenSources train;
  std::map<Split, TokenSources> given;  // kValidation, kTest
};

struct SplitShares {
  double validation = 0.02;
  double test = 0.02;
};

struct TokenRange {
  int64_t tokens = 0;
  std::optional<Split> split;  // nullopt: left out
};

struct ImportPlan {
  // Whether shares were cut off by documents: where those of all sources of train are known. Else
  // by blocks: the first ids are train's, then come val's and, last, test's.
  bool by_documents = false;
  std::vector<TokenRange> train;       // of the sources of train, from their first id to the last
  std::map<Split, int64_t> tokens;     // of each split
  std::map<Split, int64_t> documents;  // above 0; a split of which they are not known is left out
  int64_t held_out_documents = 0;      // left out: they stand in a given val or test source
  int64_t held_out_tokens = 0;
  int64_t longest_document_tokens = 0;   // 0: none is known
  std::vector<std::string> file_hashes;  // of the ids of train's files, then val's, then test's
};

// A document goes where the hash of its ids says, so that none is in two splits and adding others
// moves none. A given split takes no share. Memory: about 60 bytes a document of given sources.
// `progress` hears how many bytes of ids have been read. ConfigError: what read_ids throws, no
// `mark` anywhere, a split that was asked for and came out empty.
ImportPlan plan_import(const ImportSources& sources, int64_t n_vocab,
                       const std::optional<DocumentMark>& mark, const SplitShares& shares,
                       const std::function<void(int64_t)>& progress);

}  // namespace scalelaw
