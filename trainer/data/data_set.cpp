#include "trainer/data/data_set.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void fail(const fs::path& file, const std::string& fault) {
  throw ConfigError(file.string() + ": " + fault);
}

// The folder of `name`: the data set under the root first, then a path.
fs::path find_folder(const fs::path& data_root, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& folder : {data_root / name, fs::path(name)}) {
    if (!name.empty() && fs::is_directory(folder, ignored)) return folder;
  }
  const fs::path replaced = replaced_folder(data_root, name);
  if (fs::is_directory(replaced, ignored)) return replaced;
  const std::string close = nearest(name, data_set_names(data_root));
  const std::string build = name == "default" || name == "headers"
                                ? "scalelaw data build default"
                                : "scalelaw data build SOURCES --name " + name;
  throw ConfigError("data set \"" + name + "\" is not in " + data_root.string() +
                    (close.empty() ? "" : "; did you mean \"" + close + "\"?") +
                    "; build it with `" + build + "`");
}

nlohmann::json read_json(const fs::path& file) {
  std::error_code ignored;
  if (!fs::exists(file, ignored)) {
    fail(file.parent_path(), "is incomplete (no " + std::string(kDataSetFile) +
                                 "): remove the folder and build the set again");
  }
  nlohmann::json json = nlohmann::json::parse(read_whole_file(file), nullptr, false);
  if (!json.is_object()) fail(file, "is damaged: not a JSON object");
  return json;
}

template <typename T>
T get(const nlohmann::json& json, const char* key, const fs::path& file) {
  try {
    return json.at(key).get<T>();
  } catch (const nlohmann::json::exception&) {
    fail(file, "is damaged: \"" + std::string(key) + "\" is missing or of the wrong type");
  }
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
                    info.n_documents == get<int64_t>(json, "documents", file) &&
                    info.text_bytes == get<int64_t>(json, "text_bytes", file) &&
                    info.token_hash == get<std::string>(json, "token_hash", file);
  if (!same) fail(shard, "is not the shard that " + file.string() + " describes");
  return info;
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

fs::path shard_file(const DataSetInfo& set, Split split) {
  return set.folder / (std::string(name(split)) + ".tokens");
}

fs::path tokenizer_file(const DataSetInfo& set) {
  return set.folder / "tokenizer.model";
}

fs::path build_folder(const fs::path& data_root, const std::string& name) {
  return data_root / ("." + name + ".build");
}

fs::path replaced_folder(const fs::path& data_root, const std::string& name) {
  return build_folder(data_root, name) / "old";
}

std::vector<std::string> data_set_names(const fs::path& data_root) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(data_root, error), end; !error && it != end; it.increment(error)) {
    const std::string folder = it->path().filename().string();
    std::error_code ignored;
    if (folder.front() != '.' && fs::exists(it->path() / kDataSetFile, ignored)) {
      names.push_back(folder);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

DataSetInfo open_data_set(const fs::path& data_root, const std::string& name) {
  DataSetInfo set;
  set.folder = find_folder(data_root, name);
  const fs::path file = set.folder / kDataSetFile;
  const nlohmann::json json = read_json(file);
  const int version = get<int>(json, "version", file);
  if (version < 1 || version > kDataSetVersion) {
    fail(file, "is of version " + std::to_string(version) + ", this program reads up to " +
                   std::to_string(kDataSetVersion));
  }
  set.name = get<std::string>(json, "name", file);
  set.tokenizer = get<std::string>(json, "tokenizer", file);
  set.tokenizer_hash = get<std::string>(json, "tokenizer_hash", file);
  set.n_vocab = get<int64_t>(json, "n_vocab", file);
  const auto splits = get<nlohmann::json>(json, "splits", file);
  for (const Split split : kSplits) {
    const auto it = splits.find(std::string(scalelaw::name(split)));
    if (it != splits.end()) set.splits[split] = checked_split(set, split, *it, file);
  }
  if (set.splits.empty()) fail(file, "names no split");
  return set;
}

}  // namespace scalelaw
