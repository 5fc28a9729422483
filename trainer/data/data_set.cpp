#include "trainer/data/data_set.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/out_of_reach.h"
#include "trainer/hash.h"
#include "trainer/json_text.h"
#include "trainer/nearest.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kHashDigits = 32;

[[noreturn]] void fail(const fs::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault);
}

// OutOfReach where this user may not know.
bool is_there(const fs::path& file) {
  std::error_code error;
  const bool there = fs::exists(file, error);
  if (error == std::errc::permission_denied || error == std::errc::too_many_symbolic_link_levels) {
    throw closed(file, error.message());
  }
  return there;
}

// As data_set_names, with what has been listed until `error`.
std::vector<std::string> list_names(const fs::path& data_root, std::error_code& error) {
  std::vector<std::string> names;
  for (fs::directory_iterator it(data_root, error), end; !error && it != end; it.increment(error)) {
    const std::string folder = it->path().filename().string();
    std::error_code hidden;
    const bool whole = fs::exists(it->path() / kDataSetFile, hidden);
    // A name that no build takes is no data set, such as a file system's lost+found.
    if (folder.front() != '.' && (whole || (hidden && is_data_set_name(folder)))) {
      names.push_back(folder);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The folder of `name`: the data set under the root first, then a path.
fs::path find_folder(const fs::path& data_root, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& folder : {data_root / name, fs::path(name)}) {
    if (!name.empty() && is_there(folder) && fs::is_directory(folder, ignored)) return folder;
  }
  fs::path replaced = replaced_folder(data_root, name);
  if (fs::is_directory(replaced, ignored)) return replaced;
  const std::string close = nearest(name, list_names(data_root, ignored));
  std::string message = "data set \"" + name + "\" is not in " + data_root.string() +
                        (close.empty() ? "" : "; did you mean \"" + close + "\"?");
  if (!is_data_set_name(name)) throw ConfigError(message + "; nor is there a folder of this path");
  const std::string build = comes_with_default(name) ? "scalelaw data build default"
                                                     : "scalelaw data build SOURCES --name " + name;
  throw ConfigError(message + "; build it with `" + build + "`");
}

// Of a folder without data_set.json: whether it was a data set nevertheless.
bool holds_a_shard(const fs::path& folder) {
  std::error_code ignored;
  return std::any_of(std::begin(kSplits), std::end(kSplits), [&](Split split) {
    return fs::exists(folder / (std::string(name(split)) + ".tokens"), ignored);
  });
}

// Another user's file is the user's to mend; a disk that fails is not.
std::string read_readable(const fs::path& file) {
  if (::faccessat(AT_FDCWD, file.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES) {
    throw closed(file, std::strerror(errno));
  }
  return read_whole_file(file);
}

nlohmann::json read_json(const fs::path& file) {
  if (!is_there(file)) {
    const std::string lacks = " (no " + std::string(kDataSetFile) + " in it)";
    fail(file.parent_path(),
         holds_a_shard(file.parent_path())
             ? "is incomplete" + lacks + ": remove the folder and build the set again"
             : "is no data set" + lacks + "; `scalelaw data list` names those that are there");
  }
  const std::string text = read_readable(file);
  nlohmann::json json;
  try {
    json = parse_json_object(text);
  } catch (const std::runtime_error& error) {
    fail(file, std::string("is damaged: ") + error.what());
  }
  // Version 1 had none; a newer one is refused by its number.
  const auto version = json.find("version");
  const bool other = version != json.end() && version->is_number_integer() &&
                     (*version == 1 || *version > kDataSetVersion);
  if ((!other || json.contains("file_hash")) &&
      json.value("file_hash", nlohmann::json()) != data_set_file_hash(text)) {
    fail(file, "is damaged (its hash differs): build the set again");
  }
  return json;
}

// Where the digits of "file_hash" begin in the text, npos when they are not there.
std::size_t file_hash_digits(const std::string& text) {
  constexpr std::string_view kKey = "\"file_hash\": \"";
  const std::size_t key = text.rfind(kKey);
  if (key == std::string::npos || text.size() - key < kKey.size() + kHashDigits) {
    return std::string::npos;
  }
  return key + kKey.size();
}

template <typename T>
T get(const nlohmann::json& json, const char* key, const fs::path& file) {
  try {
    if constexpr (std::is_same_v<T, int64_t>) {
      return whole_number(json.at(key));
    } else {
      return json.at(key).get<T>();
    }
  } catch (const std::exception&) {
    fail(file, "is damaged: \"" + std::string(key) + "\" is missing or of the wrong type");
  }
}

// A count that an import may not know: null there, 0 in a shard.
int64_t count_or_unknown(const nlohmann::json& json, const char* key, const fs::path& file) {
  const auto it = json.find(key);
  return it != json.end() && it->is_null() ? 0 : get<int64_t>(json, key, file);
}

// The split's header, compared with what data_set.json says of it.
TokenShardInfo checked_split(const DataSetInfo& set, Split split, const nlohmann::json& json,
                             const fs::path& file) {
  const fs::path shard = shard_file(set, split);
  TokenShardInfo info = TokenShard::read_info(shard);
  if (info.tokenizer_hash != set.tokenizer_hash) {
    fail(shard, "was made by another tokenizer (" + info.tokenizer_hash +
                    ") than its data set's (" + set.tokenizer_hash + "): build the set again");
  }
  const bool same = info.n_vocab == set.n_vocab &&
                    info.n_tokens == get<int64_t>(json, "tokens", file) &&
                    info.n_documents == count_or_unknown(json, "documents", file) &&
                    info.text_bytes == count_or_unknown(json, "text_bytes", file) &&
                    info.token_hash == get<std::string>(json, "token_hash", file);
  if (!same) fail(shard, "is not the shard that " + file.string() + " describes");
  return info;
}

// The model that the tokens were made by: without it nobody can tell what they say.
void check_tokenizer(const DataSetInfo& set) {
  if (set.tokenizer == "bytes") return;
  if (set.knows_tokenizer_by_name()) {
    if (set.tokenizer_hash == named_tokenizer_hash(set.tokenizer, set.n_vocab)) return;
    fail(set.folder / kDataSetFile, "is damaged: \"tokenizer_hash\" is not that of " +
                                        set.tokenizer + " with " + std::to_string(set.n_vocab) +
                                        " ids");
  }
  const fs::path file = tokenizer_file(set);
  if (!is_there(file)) fail(file, "is not there: build the set again");
  if (const std::string hash = hash_hex(read_readable(file)); hash != set.tokenizer_hash) {
    fail(file, "is not the tokenizer that the set's tokens were made by (hash " + hash +
                   ", the tokens' is " + set.tokenizer_hash + "): build the set again");
  }
}

constexpr std::string_view kAsValidation = "/val";

DataSetInfo validation_as_test(DataSetInfo set) {
  const auto validation = set.splits.find(Split::kValidation);
  if (validation == set.splits.end()) {
    throw ConfigError("data set " + set.folder.string() + " has no val split");
  }
  set.name += kAsValidation;
  set.splits = {{Split::kTest, validation->second}};
  set.test_file = Split::kValidation;
  return set;
}

}  // namespace

std::string_view name(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "val";
    case Split::kTest:
      return "test";
  }
  return "";
}

bool DataSetInfo::knows_tokenizer_by_name() const {
  return imported && tokenizer.starts_with(kNamedTokenizer);
}

std::string named_tokenizer_hash(std::string_view tokenizer, int64_t n_vocab) {
  return hash_hex("scalelaw tokenizer known by name: " + std::string(tokenizer) + ", " +
                  std::to_string(n_vocab) + " ids");
}

bool is_data_set_name(std::string_view name) {
  return !name.empty() && name.size() <= 100 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-');
         });
}

bool comes_with_default(std::string_view name) {
  return name == "default" || name == "headers";
}

fs::path shard_file(const DataSetInfo& set, Split split) {
  const Split file = split == Split::kTest ? set.test_file : split;
  return set.folder / (std::string(name(file)) + ".tokens");
}

fs::path tokenizer_file(const DataSetInfo& set) {
  return set.folder / "tokenizer.model";
}

std::string data_set_file_hash(std::string text) {
  const std::size_t digits = file_hash_digits(text);
  if (digits == std::string::npos) return "";
  text.replace(digits, kHashDigits, kHashDigits, '0');
  return hash_hex(text);
}

std::string with_data_set_file_hash(std::string text) {
  const std::string hash = data_set_file_hash(text);
  assert(!hash.empty());
  return text.replace(file_hash_digits(text), kHashDigits, hash);
}

fs::path build_folder(const fs::path& data_root, const std::string& name) {
  return data_root / ("." + name + ".build");
}

fs::path replaced_folder(const fs::path& data_root, const std::string& name) {
  return build_folder(data_root, name) / "old";
}

std::vector<std::string> data_set_names(const fs::path& data_root) {
  std::error_code error;
  std::vector<std::string> names = list_names(data_root, error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw closed(data_root, error.message());
  }
  return names;
}

DataSetInfo open_data_set(const fs::path& data_root, const std::string& name) {
  std::error_code ignored;
  const bool is_folder =
      fs::is_directory(data_root / name, ignored) || fs::is_directory(name, ignored);
  if (!is_folder && name.ends_with(kAsValidation)) {
    return validation_as_test(
        open_data_set(data_root, name.substr(0, name.size() - kAsValidation.size())));
  }
  DataSetInfo set;
  set.folder = find_folder(data_root, name);
  const fs::path file = set.folder / kDataSetFile;
  const nlohmann::json json = read_json(file);
  const auto version = get<int64_t>(json, "version", file);
  if (version > kDataSetVersion) throw too_new(file, version, kDataSetVersion);
  if (version < 1) fail(file, "is damaged: version " + std::to_string(version) + " never was");
  set.name = get<std::string>(json, "name", file);
  if (!is_data_set_name(set.name)) fail(file, "is damaged: \"name\" is no data set's name");
  set.tokenizer = get<std::string>(json, "tokenizer", file);
  set.tokenizer_hash = get<std::string>(json, "tokenizer_hash", file);
  set.n_vocab = get<int64_t>(json, "n_vocab", file);
  set.imported = json.contains("imported");
  check_tokenizer(set);
  const auto splits = get<nlohmann::json>(json, "splits", file);
  for (const Split split : kSplits) {
    const auto it = splits.find(std::string(scalelaw::name(split)));
    if (it != splits.end()) set.splits[split] = checked_split(set, split, *it, file);
  }
  if (set.splits.empty()) fail(file, "names no split");
  return set;
}

}  // namespace scalelaw
