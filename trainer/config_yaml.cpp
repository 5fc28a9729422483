#include "trainer/config_yaml.h"

#include <yaml-cpp/emitter.h>

#include <utility>
#include <vector>

#include "trainer/config_keys.h"
#include "trainer/flat_keys.h"
#include "trainer/utf8.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {
namespace {

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
  KeyFlattener keys(file, [&](const YamlTree& value, const std::string& key) -> SourcedText {
    if (value.kind == YamlTree::Kind::kScalar) return {value.text, file, value.line};
    throw_config_error({value.shown(), file, value.line}, key, "a run takes one value, not a list");
  });
  keys.add_members("", root);
  return keys.take();
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
  if (value.text == kEmptyGroup) {
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
