// `scalelaw data import`: token ids made elsewhere -> a complete data set folder, or nothing at
// all.
//
// Ids are taken as they are and in their order: the same ids give the same token hash, and so the
// same runs, whichever program wrote them and `data build` among them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trainer/data/builder.h"
#include "trainer/data/import_plan.h"

namespace scalelaw {

struct ImportOptions {
  std::filesystem::path data_root = "data";
  std::string name;                  // as BuildOptions::name
  std::vector<std::string> sources;  // files and patterns: of train, and of what is shared out
  std::map<Split, std::vector<std::string>> given_sources;  // of val or test alone
  SplitShares shares;
  std::optional<IdType> raw_type;  // of files without a header
  std::optional<DocumentMark> mark;
  // name:WORD (known by name alone, text cannot be encoded or read with it) | set:NAME (another
  // set's) | bytes | a SentencePiece model file; empty: name: and the set's own name
  std::string tokenizer;
  std::optional<int64_t> n_vocab;       // wanted with name:WORD; else the tokenizer's own
  std::map<Split, int64_t> text_bytes;  // of the text behind a split's ids, where it is known
  bool replace = false;                 // a set of this name with other content
  std::string command_line;             // kept in data_set.json
};

// Stages: "checking" reads every id and decides the splits, "writing" reads them again. Memory: a
// block of ids, 8 bytes a document of a Megatron index, and what plan_import says. ConfigError as
// build_data_set, and the readers' of trainer/data/foreign/. Nothing is left behind then.
BuildResult import_tokens(const ImportOptions& options,
                          const std::function<void(const BuildProgress&)>& progress);

}  // namespace scalelaw
