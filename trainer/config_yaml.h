// YAML <-> RunConfig.
//
// One table of keys (name, type, default, unit, rule, meaning) drives reading, validation, writing,
// identity and `scalelaw explain`, so that they cannot drift apart. Between YAML and RunConfig a
// configuration is flat: dotted key -> text with the place it came from. A sweep merges flat
// configurations; a run resolves one.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/config_error.h"
#include "trainer/run_config.h"

namespace scalelaw {

// A value as written, and where. line 0: no file (the file is then "--set" or the like).
struct SourcedText {
  std::string text;
  std::string file;
  int line = 0;
  std::string expression = {};  // that `text` was worked out from, "= 20 * N"; "" where none
  // The key that the file has where it is kept under another, for messages; a literal.
  const char* written_as = nullptr;
};
using FlatConfig = std::map<std::string, SourcedText>;  // "train.learning_rate" -> "0.01"

// One key of a run's configuration, for reading and for people.
struct ConfigKey {
  std::string name;          // "train.optimizer.beta2"
  std::string type;          // "whole number", "number", "true or false", "one of kTied ..."
  std::string default_text;  // canonical
  std::string unit;          // "tokens", "share of the horizon", ""
  std::string rule;          // "> 0 and < 1"
  std::string help;          // what it is and what changing it costs
  bool identity = true;      // false: outside the hash (provenance, names of data sets)
  std::vector<std::string> choices = {};  // of an enumeration; else empty
};
const std::vector<ConfigKey>& config_keys();

// Reads YAML text into dotted keys. ConfigError (file, line) as parse_yaml_tree, and for lists and
// for a key that is set twice, dotted and nested. Keys are not checked here. A dotted key
// ("model.n_ctx: 64") is the same as a nested one. An empty map is kept as the text "{}" under its
// own key.
FlatConfig read_flat_config(const std::filesystem::path& file);
FlatConfig parse_flat_config(std::string_view yaml, std::string_view file_name);
// "key=value" from a command line; replaces. "data.test={}" empties a group.
void apply_setting(FlatConfig& config, std::string_view setting);

// Types, ranges and rules; unknown keys with the nearest valid one. ConfigError names file, line,
// key, value and rule. Provenance keys are accepted under "how.".
RunConfig resolve(const FlatConfig& config);
// Of the keys that begin with "model." alone, with the rules between them; the others are not read.
ModelShape resolve_model(const FlatConfig& config);
// The same without the rules between them: of a model whose other keys are still to be chosen.
ModelShape read_model(const FlatConfig& config);
// A run's file with `settings` over it; ConfigError when `spec` is missing.
FlatConfig read_run_file(const std::filesystem::path& file,
                         const std::vector<std::string>& settings = {});
// resolve(read_run_file(...))
RunConfig read_run_config(const std::filesystem::path& file,
                          const std::vector<std::string>& settings = {});

// A key that is set and that nothing reads under the other keys' values.
struct UnreadKey {
  std::string key;
  SourcedText value;
  std::string why;          // "model.arch = lstm does not read it"
  bool is_default = false;  // set to its default, which misleads nobody
};
// `config`: resolve(written).
std::vector<UnreadKey> unread_keys(const FlatConfig& written, const RunConfig& config);
std::string describe(const UnreadKey& unread);  // one line, with file, line, key and value

// Every key with its canonical text, data.test's included.
std::vector<std::pair<std::string, std::string>> canonical_values(const RunConfig& config);
// The same as YAML that read_run_config takes back unchanged.
std::string to_yaml(const RunConfig& config);

// "line 12 of f.yaml: train.learning_rat = 0.1: unknown key; did you mean train.learning_rate?"
// is built by this, for every room.
std::string at_its_line(const SourcedText& where, std::string_view key, std::string_view rule);
[[noreturn]] void throw_config_error(const SourcedText& where, std::string_view key,
                                     std::string_view rule);
// A rule found broken once the data were read, with the line where `written` sets the key; where
// it does not, with the file's name and the default.
[[noreturn]] void throw_at_its_place(const KeyError& error, const FlatConfig& written);
// "; did you mean train.learning_rate?" for a key that is none: a typo, or the right last part in
// another section, for each that there is. "" when none is near.
std::string did_you_mean(const std::string& key);

// --- identity (interface.md, "paid once, for ever") ---

// Hashes of the tokens a run reads; from the data sets' headers.
struct DataIdentity {
  int64_t n_vocab = 0;     // equal ids under a padded vocabulary: another model
  std::string train_hash;  // of the train split's tokens, 32 hex digits
  std::map<std::string, std::string> test_hash;  // each of test_tokens(config) -> the same
};
// The canonical text that is hashed: "spec=1\n", then "key=value\n" for each identity key whose
// value differs from the default of its spec, sorted, then the vocabulary and the token hashes,
// of test sets with the tokens read. data.train and the names in data.test do not enter.
// std::invalid_argument when `data` is not filled in.
std::string identity_text(const RunConfig& config, const DataIdentity& data);
// 32 hex digits (XXH3, 128 bits, canonical) of identity_text.
std::string content_hash(const RunConfig& config, const DataIdentity& data);
// "transformer_l2w64_d2.5M_i1d1-3fa9c1d20b7e": readable, the last part is the hash's first 12
// digits. It uses only keys of the configuration, no count that a later version may make better.
std::string run_folder_name(const RunConfig& config, std::string_view content_hash);

}  // namespace scalelaw
