// A data set made by `scalelaw data build` or `import`: DATA/NAME/ with data_set.json (written
// last: present means complete), the tokenizer, and one token shard a split: train, val, test.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/data/token_shard.h"

namespace scalelaw {

enum class Split { kTrain, kValidation, kTest };
std::string_view name(Split split);  // "train", "val", "test"

struct DataSetInfo {
  std::string name;
  std::filesystem::path folder;
  // "bytes", "bpe:512", "unigram:8192", or a file's name; of an imported set also "name:gpt2", a
  // tokenizer that is not here.
  std::string tokenizer;
  std::string tokenizer_hash;
  int64_t n_vocab = 0;
  std::map<Split, TokenShardInfo> splits;  // a set may have only some (a pure test set)
  Split test_file = Split::kTest;          // kValidation: opened as NAME/val
  bool imported = false;                   // by `scalelaw data import`: of ids made elsewhere

  bool knows_tokenizer_by_name() const;
};

inline constexpr std::string_view kNamedTokenizer = "name:";
// The identity of a tokenizer "name:WORD" of which nothing else is known.
std::string named_tokenizer_hash(std::string_view tokenizer, int64_t n_vocab);

// `name` under `data_root`, or a path to such a folder. ConfigError: not there (names the nearest
// one that is, and the command that builds it), incomplete, damaged, or with another tokenizer than
// its tokens'; OutOfReach (trainer/data/out_of_reach.h): closed or of a newer version. Reads
// headers and the tokenizer's file: milliseconds.
//
// "NAME/val" is the set NAME seen as a pure test set, whose test split is NAME's val split: what
// reads test splits can so be given the text that choices are made on, and the test text is left
// for the last word.
DataSetInfo open_data_set(const std::filesystem::path& data_root, const std::string& name);
std::filesystem::path shard_file(const DataSetInfo& set, Split split);
// Not there for "bytes" and for "name:WORD".
std::filesystem::path tokenizer_file(const DataSetInfo& set);
// Where a build of `name` works, and where it keeps the set that it replaces until the new one is
// in place (trainer/data/build_workspace.h). open_data_set reads the latter while `name` itself is
// not there: the build was killed between two renames.
std::filesystem::path build_folder(const std::filesystem::path& data_root, const std::string& name);
std::filesystem::path replaced_folder(const std::filesystem::path& data_root,
                                      const std::string& name);
// The hash that data_set.json of this text carries as "file_hash": of all its bytes, the hash's own
// 32 digits taken as zeros. `text` has that key.
std::string data_set_file_hash(std::string text);
// `text` with its hash filled in.
std::string with_data_set_file_hash(std::string text);
// Names of the complete sets under `data_root`, sorted, and of folders that hide whether they are
// one; none when the folder is not there, OutOfReach when it cannot be listed.
std::vector<std::string> data_set_names(const std::filesystem::path& data_root);
// 1 to 100 letters, digits, '.', '_' and '-', the first none of '.' and '-'.
bool is_data_set_name(std::string_view name);
// A set that `scalelaw data build default` makes.
bool comes_with_default(std::string_view name);

// Version 2 has a hash of the file itself, so that no byte of it changes unseen.
inline constexpr int kDataSetVersion = 2;
inline constexpr std::string_view kDataSetFile = "data_set.json";
inline constexpr Split kSplits[] = {Split::kTrain, Split::kValidation, Split::kTest};

}  // namespace scalelaw
