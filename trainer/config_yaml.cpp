#include "trainer/config_yaml.h"

#include <yaml-cpp/emitter.h>

#include <map>
#include <utility>
#include <vector>

#include "trainer/config_keys.h"
#include "trainer/utf8.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

constexpr const char* kEmptyMap = "{}";

// Maps count as well as values: two of one key with different leaves would be merged without a
// word. The same key in one map is refused before; these are a dotted key and a nested one.
class Flattener {
 public:
  explicit Flattener(const std::string& file) : file_(file) {}

  void add_members(const std::string& prefix, const YamlTree& map) {
    for (const auto& [name, value] : map.map) add(prefix + name, value);
  }
  FlatConfig take() { return std::move(flat_); }

 private:
  void add(const std::string& key, const YamlTree& value) {
    const auto [first, added] = lines_.emplace(key, value.line);
    if (!added) {
      throw_config_error(
          {value.shown(), file_, value.line}, key,
          "is set twice, first in line " + std::to_string(first->second) + "; remove one");
    }
    if (value.kind == YamlTree::Kind::kSequence) {
      throw_config_error({value.shown(), file_, value.line}, key,
                         "a run takes one value, not a list");
    }
    const bool is_map = value.kind == YamlTree::Kind::kMap;
    if (is_map && !value.map.empty()) return add_members(key + ".", value);
    flat_[key] = {is_map ? kEmptyMap : value.text, file_, value.line};
  }

  const std::string& file_;
  FlatConfig flat_;
  std::map<std::string, int> lines_;  // of every key written, of maps and of values
};

// Keys whose last part is `name` directly under `prefix`, written in key order.
void emit_group(YAML::Emitter& out, const std::vector<std::pair<std::string, std::string>>& entries,
                std::size_t& next, const std::string& prefix) {
  out << YAML::BeginMap;
  while (next < entries.size() && entries[next].first.starts_with(prefix)) {
    const std::string rest = entries[next].first.substr(prefix.size());
    const std::size_t dot = prefix == kTestPrefix ? std::string::npos : rest.find('.');
    out << YAML::Key << rest.substr(0, dot) << YAML::Value;
    if (dot == std::string::npos) {
      out << entries[next].second;
      ++next;
    } else {
      emit_group(out, entries, next, prefix + rest.substr(0, dot + 1));
    }
  }
  out << YAML::EndMap;
}

}  // namespace

FlatConfig read_flat_config(const std::filesystem::path& file) {
  return parse_flat_config(read_yaml_text(file), file.string());
}

FlatConfig parse_flat_config(std::string_view yaml, std::string_view file_name) {
  const std::string file(file_name);
  const YamlTree root = parse_yaml_tree(yaml, file);
  if (root.kind != YamlTree::Kind::kMap) {
    throw_at_line(file, root.line, "",
                  "expected keys with values (`train: {batch_tokens: 1024}`; a space follows the "
                  "colon), found " +
                      root.shown().substr(0, 60));
  }
  Flattener flattener(file);
  flattener.add_members("", root);
  return flattener.take();
}

void apply_setting(FlatConfig& config, std::string_view setting) {
  const std::size_t equals = setting.find('=');
  const SourcedText value = {
      std::string(setting.substr(equals == std::string_view::npos ? setting.size() : equals + 1)),
      "--set"};
  const std::string key(setting.substr(0, equals));
  if (key.empty() || value.text.empty()) {
    throw ConfigError("--set " + std::string(setting) + ": must be KEY=VALUE");
  }
  if (first_invalid_utf8(setting) < setting.size()) {
    throw ConfigError("--set " + key + ": is not UTF-8 from byte " +
                      std::to_string(first_invalid_utf8(setting) + 1) + " on");
  }
  if (value.text == kEmptyMap) {
    std::erase_if(config, [&](const auto& entry) { return entry.first.starts_with(key + "."); });
  }
  config[key] = value;
}

std::vector<std::pair<std::string, std::string>> canonical_values(const RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const KeyAccess& access : key_table()) {
    entries.emplace_back(access.key.name, access.get(config));
    if (access.key.name != "data.train") continue;
    for (const auto& [name, tokens] : config.data.test) {
      entries.emplace_back(kTestPrefix + name, std::to_string(tokens));
    }
  }
  return entries;
}

std::string to_yaml(const RunConfig& config) {
  const auto entries = canonical_values(config);
  YAML::Emitter out;
  std::size_t next = 0;
  emit_group(out, entries, next, "");
  return std::string(out.c_str()) + "\n";
}

}  // namespace scalelaw
