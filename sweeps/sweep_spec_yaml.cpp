#include "sweeps/sweep_spec_yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "trainer/config_error.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxDepth = 16;

// Builds the tree from the parser's events. YAML::Node would not do: it keeps the first of two
// equal keys without a word and follows aliases.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(const std::string& file_name) : file_name_(file_name) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    fail(mark, "&" + name, "anchors are not read; write the value out");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "", "aliases are not read; write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    // The parser marks the place where it gave up waiting for a value.
    YAML::Mark at = mark;
    if (!open_.empty() && open_.back().has_key) at.line = open_.back().key_line - 1;
    fail(at, pending_key(), "has no value; write one or remove the key");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& value) override {
    check_tag(mark, tag);
    if (expects_key()) {
      take_key(mark, value);
      return;
    }
    if (tag == "?" && is_null_word(value)) OnNull(mark, 0);
    YamlTree scalar;
    scalar.line = mark.line + 1;
    scalar.text = value;
    attach(std::move(scalar));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, YamlTree::Kind::kSequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, YamlTree::Kind::kMap);
  }
  void OnMapEnd() override { close(); }

  bool empty() const { return !done_; }
  YamlTree take() { return std::move(root_); }

 private:
  struct Open {
    YamlTree tree;
    std::string key;  // of a map: read, its value not yet
    bool has_key = false;
    int key_line = 0;
  };

  static bool is_null_word(const std::string& text) {
    return text == "null" || text == "Null" || text == "NULL" || text == "~";
  }
  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& key,
                         const std::string& rule) const {
    throw_at_line(file_name_, mark.line + 1, key, rule);
  }
  std::string pending_key() const { return open_.empty() ? "" : open_.back().key; }
  bool expects_key() const {
    return !open_.empty() && open_.back().tree.kind == YamlTree::Kind::kMap &&
           !open_.back().has_key;
  }
  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(mark, pending_key(), "tags (" + tag + ") are not read; remove it");
    }
  }
  void take_key(const YAML::Mark& mark, const std::string& key) {
    Open& map = open_.back();
    if (key == "<<") fail(mark, key, "merge keys are not read; write the values out");
    if (key.empty()) fail(mark, key, "a key must not be empty");
    const auto same = std::find_if(map.tree.map.begin(), map.tree.map.end(),
                                   [&](const auto& entry) { return entry.first == key; });
    if (same != map.tree.map.end()) {
      fail(
          mark, key,
          "stands here twice, first in line " + std::to_string(same->second.line) + "; remove one");
    }
    map.key = key;
    map.has_key = true;
    map.key_line = mark.line + 1;
  }
  void open(const YAML::Mark& mark, const std::string& tag, YamlTree::Kind kind) {
    check_tag(mark, tag);
    if (expects_key()) fail(mark, "", "a key must be a plain word");
    if (open_.size() >= kMaxDepth) {
      fail(mark, pending_key(), "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    Open opened;
    opened.tree.kind = kind;
    opened.tree.line = mark.line + 1;
    open_.push_back(std::move(opened));
  }
  void close() {
    YamlTree tree = std::move(open_.back().tree);
    open_.pop_back();
    attach(std::move(tree));
  }
  void attach(YamlTree tree) {
    if (open_.empty()) {
      root_ = std::move(tree);
      done_ = true;
    } else if (open_.back().tree.kind == YamlTree::Kind::kSequence) {
      open_.back().tree.sequence.push_back(std::move(tree));
    } else {
      open_.back().tree.map.emplace_back(std::move(open_.back().key), std::move(tree));
      open_.back().key.clear();
      open_.back().has_key = false;
    }
  }

  const std::string& file_name_;
  std::vector<Open> open_;
  YamlTree root_;
  bool done_ = false;
};

}  // namespace

void throw_at_line(const std::string& file_name, int line, std::string_view key,
                   const std::string& rule) {
  throw ConfigError("line " + std::to_string(line) + " of " + file_name + ": " + std::string(key) +
                    (key.empty() ? "" : ": ") + rule);
}

YamlTree parse_yaml_tree(std::string_view yaml, const std::string& file_name) {
  if (yaml.size() > kMaxBytes) throw_at_line(file_name, 1, "", "the file is larger than 1 MiB");
  refuse_control_characters(yaml, file_name);
  std::istringstream stream{std::string(yaml)};
  TreeBuilder builder(file_name);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder) || builder.empty()) {
      throw_at_line(file_name, 1, "", "the file is empty");
    }
    TreeBuilder rest(file_name);
    if (parser.HandleNextDocument(rest)) {
      throw_at_line(file_name, 1, "", "holds more than one YAML document; remove the --- lines");
    }
  } catch (const YAML::Exception& error) {
    throw_at_line(file_name, error.mark.line + 1, "", "no valid YAML: " + error.msg);
  }
  return builder.take();
}

}  // namespace scalelaw
