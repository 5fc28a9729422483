#include "trainer/config_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "trainer/atomic_file.h"
#include "trainer/config_keys.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMaxBytes = 1 << 20;
constexpr std::size_t kMaxDepth = 16;
constexpr const char* kEmptyMap = "{}";

// Builds the flat configuration from yaml-cpp's events. Nodes would come too late: they drop
// duplicate keys silently, follow aliases, and are only there once the whole text is in memory.
class FlatBuilder : public YAML::EventHandler {
 public:
  explicit FlatBuilder(std::string file) : file_(std::move(file)) {}
  FlatConfig take() { return std::move(flat_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    if (open_.empty()) return;  // an empty file
    if (!open_.back().key) refuse(mark, "a key is missing before ':'");
    refuse_value("", "no value; leave the key out for its default, or write {} for an empty map");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    refuse(mark, "aliases (*name) are not allowed; write the value out");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (open_.empty()) refuse(mark, "expected keys (\"train: ...\"), found \"" + text + "\"");
    Level& level = open_.back();
    if (level.key) {
      add(text);
      level.key.reset();
      return;
    }
    if (text == "<<") refuse(mark, "merge keys (<<) are not allowed; write the keys out");
    if (text.empty()) refuse(mark, "a key is empty");
    level.key = text;
    level.key_line = mark.line + 1;
    ++level.n_keys;
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    if (open_.empty() || !open_.back().key) refuse(mark, "a list cannot stand here");
    refuse_value("[...]", "a run takes one value, not a list");
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_anchor(mark, anchor);
    refuse_tag(mark, tag);
    if (!open_.empty() && !open_.back().key) refuse(mark, "a key cannot be a map");
    if (open_.size() == kMaxDepth) {
      refuse(mark, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    if (!open_.empty()) refuse_repeated({"{...}", file_, open_.back().key_line});
    open_.emplace_back();
  }
  void OnMapEnd() override {
    const bool empty = open_.back().n_keys == 0;
    open_.pop_back();
    if (open_.empty()) return;
    if (empty) flat_[path()] = {kEmptyMap, file_, open_.back().key_line};
    open_.back().key.reset();
  }

 private:
  struct Level {
    std::optional<std::string> key;  // read, its value not yet
    int key_line = 0;
    int n_keys = 0;
  };

  std::string path() const {
    std::string path;
    for (const Level& level : open_) {
      if (!path.empty()) path += '.';
      path += level.key.value_or("");
    }
    return path;
  }
  void add(const std::string& text) {
    const SourcedText here = {text, file_, open_.back().key_line};
    refuse_repeated(here);
    flat_[path()] = here;
  }
  // Maps count too: two of one key with different leaves would be merged without a word.
  void refuse_repeated(const SourcedText& here) {
    const auto [first, added] = key_lines_.emplace(path(), here.line);
    if (!added) {
      throw_config_error(here, path(),
                         "the key is there twice, first in line " + std::to_string(first->second));
    }
  }
  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != 0) refuse(mark, "anchors (&name) are not allowed; write the value out");
  }
  // "?" and "!" are what yaml-cpp reports for plain and quoted text.
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!")
      refuse(mark, "tags (" + tag + ") are not allowed");
  }
  [[noreturn]] void refuse_value(const std::string& text, const char* rule) const {
    throw_config_error({text, file_, open_.back().key_line}, path(), rule);
  }
  [[noreturn]] void refuse(const YAML::Mark& mark, const std::string& rule) const {
    throw ConfigError("line " + std::to_string(mark.line + 1) + " of " + file_ + ": " + rule);
  }

  std::string file_;
  FlatConfig flat_;
  std::map<std::string, int> key_lines_;  // of every key written, of maps and of values
  std::vector<Level> open_;
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

void refuse_control_characters(std::string_view yaml, const std::string& file) {
  int line = 1;
  for (const char c : yaml) {
    if (c == '\n') ++line;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f) {
      throw ConfigError("line " + std::to_string(line) + " of " + file +
                        ": not a text file in UTF-8 (a control character)");
    }
  }
}

FlatConfig read_flat_config(const std::filesystem::path& file) {
  std::string yaml;
  try {
    const auto bytes = std::filesystem::file_size(file);
    if (bytes > kMaxBytes) throw ConfigError(file.string() + ": larger than 1 MiB");
    yaml = read_whole_file(file);
  } catch (const ConfigError&) {
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    throw ConfigError(file.string() + ": cannot read: " + error.code().message());
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
  return parse_flat_config(yaml, file.string());
}

FlatConfig parse_flat_config(std::string_view yaml, std::string_view file_name) {
  const std::string file(file_name);
  if (yaml.size() > kMaxBytes) throw ConfigError(file + ": larger than 1 MiB");
  refuse_control_characters(yaml, file);
  FlatBuilder builder(file);
  try {
    std::istringstream stream{std::string(yaml)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    if (parser.HandleNextDocument(builder)) throw ConfigError(file + ": holds two YAML documents");
  } catch (const YAML::Exception& error) {
    throw ConfigError("line " + std::to_string(error.mark.line + 1) + " of " + file +
                      ": not valid YAML: " + error.msg);
  }
  return builder.take();
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
  if (value.text == kEmptyMap) {
    std::erase_if(config, [&](const auto& entry) { return entry.first.starts_with(key + "."); });
  }
  config[key] = value;
}

std::string to_yaml(const RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const KeyAccess& access : key_table()) {
    entries.emplace_back(access.key.name, access.get(config));
    if (access.key.name != "data.train") continue;
    for (const auto& [name, tokens] : config.data.test) {
      entries.emplace_back(kTestPrefix + name, std::to_string(tokens));
    }
  }
  YAML::Emitter out;
  std::size_t next = 0;
  emit_group(out, entries, next, "");
  return std::string(out.c_str()) + "\n";
}

}  // namespace scalelaw
