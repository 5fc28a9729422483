#include "trainer/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

#include "trainer/atomic_file.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/utf8.h"

namespace scalelaw {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxDepth = 16;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::string text_at_line(const std::string& file_name, int line, std::string_view key,
                         const std::string& rule) {
  return "line " + std::to_string(line) + " of " + escaped(file_name) + ": " + excerpt(key) +
         (key.empty() ? "" : ": ") + escaped(rule);
}

// Builds the tree from the parser's events. YAML::Node would not do: it keeps the first of two
// equal keys without a word and follows aliases.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file_name, std::string_view yaml)
      : file_name_(file_name), yaml_(yaml) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) {
      fail(mark.line + 1, "", "a second YAML document begins here (---); a file holds one");
    }
  }
  void OnDocumentEnd() override {}
  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    fail(mark.line + 1, path(), "anchors (&" + name + ") are not read; write the value out");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark.line + 1, path(), "aliases (*name) are not read; write the value out");
  }
  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override {
    if (open_.empty()) return;  // a text without content
    if (expects_key()) {
      note(mark.line + 1, path(), "a key is missing before ':'");
      open_.back().key = "";
      return;
    }
    note_missing_value(line_of_next(mark));
    attach({});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                const std::string& text) override {
    refuse_tag(mark, tag);
    refuse_open_quote(mark);
    if (expects_key()) return take_key(mark, text);
    YamlTree scalar;
    scalar.kind = YamlTree::Kind::kScalar;
    scalar.line = line_of_next(mark);
    scalar.text = text;
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

  YamlTree take() {
    if (!first_fault_.empty()) throw ConfigError(first_fault_);
    return std::move(root_);
  }

  // The parser gave up; says where the fault begins rather than where it was noticed.
  [[noreturn]] void explain(const YAML::Exception& error) const {
    const int noticed = error.mark.line + 1;
    if (const int line = line_indented_by_tab(noticed); line > 0) {
      fail(line, "", "a tab indents this line; YAML takes spaces alone");
    }
    const bool list = error.msg == YAML::ErrorMsg::END_OF_SEQ_FLOW;
    if (list || error.msg == YAML::ErrorMsg::END_OF_MAP_FLOW) {
      const auto kind = list ? YamlTree::Kind::kSequence : YamlTree::Kind::kMap;
      const auto unclosed = std::find_if(open_.rbegin(), open_.rend(),
                                         [&](const Open& open) { return open.tree.kind == kind; });
      if (unclosed != open_.rend()) {
        fail(unclosed->first_line, "",
             list ? "this [ is not closed by a ], or a comma is missing in the list"
                  : "this { is not closed by a }, a comma is missing between its keys, or a value "
                    "with "
                    "a ?, : or comma in it is not quoted");
      }
    }
    if (!first_fault_.empty()) throw ConfigError(first_fault_);
    const bool layout = error.msg == YAML::ErrorMsg::END_OF_MAP ||
                        error.msg == YAML::ErrorMsg::END_OF_SEQ ||
                        error.msg == YAML::ErrorMsg::MAP_VALUE;
    fail(
        noticed, "",
        "not valid YAML: " + error.msg +
            (layout ? " (is a ':' missing or one too many, or a line indented differently?)" : ""));
  }

 private:
  struct Open {
    YamlTree tree;
    int first_line = 0;
    std::optional<std::string> key;  // of a map: read, its value not yet
    int key_line = 0;
    std::map<std::string, int> lines;  // of the keys so far
  };

  [[noreturn]] void fail(int line, const std::string& key, const std::string& rule) const {
    throw_at_line(file_name_, line, key, rule);
  }
  // For later: of a bracket that is never closed the parser first reports odd keys without values.
  void note(int line, const std::string& key, const std::string& rule) {
    if (first_fault_.empty()) first_fault_ = text_at_line(file_name_, line, key, rule);
  }
  void note_missing_value(int line) {
    const std::vector<YamlMember>& before = open_.back().tree.map;
    if (!before.empty() && is_cut_expression(before.back().value)) {
      const std::string key = path();
      const std::size_t group = key.size() - open_.back().key.value_or("").size();
      note(before.back().value.line, key.substr(0, group) + before.back().key,
           "an expression with a comma is quoted within { }, as \"= max(1, 2)\"");
    }
    note(line, path(), "has no value; write one, or {} for an empty group, or leave the key out");
  }
  // "= max(1", of {a: = max(1, 2)}.
  static bool is_cut_expression(const YamlTree& value) {
    return value.text.starts_with('=') &&
           std::ranges::count(value.text, '(') > std::ranges::count(value.text, ')');
  }
  // The parser takes the end of the file for the closing quote.
  void refuse_open_quote(const YAML::Mark& mark) const {
    auto at = static_cast<std::size_t>(mark.pos);
    if (at >= yaml_.size() || (yaml_[at] != '"' && yaml_[at] != '\'')) return;
    const char quote = yaml_[at];
    for (++at; at < yaml_.size() && yaml_[at] != quote; ++at) {
      if (quote == '"' && yaml_[at] == '\\') ++at;
    }
    if (at >= yaml_.size()) fail(mark.line + 1, path(), "a quote is opened here and not closed");
  }
  // The line before the one where the parser gave up counts: it may have read on from there.
  int line_indented_by_tab(int noticed) const {
    std::istringstream text{std::string(yaml_)};
    int number = 0;
    for (std::string line; number < noticed && std::getline(text, line);) {
      ++number;
      const std::string indent = line.substr(0, line.find_first_not_of(" \t"));
      if (number >= noticed - 1 && indent.find('\t') != std::string::npos) return number;
    }
    return 0;
  }
  std::string path() const {
    std::string path;
    for (const Open& open : open_) {
      if (open.key) path += (path.empty() ? "" : ".") + *open.key;
    }
    return path;
  }
  bool expects_key() const {
    return !open_.empty() && open_.back().tree.kind == YamlTree::Kind::kMap && !open_.back().key;
  }
  int line_of_next(const YAML::Mark& mark) const {
    return !open_.empty() && open_.back().key ? open_.back().key_line : mark.line + 1;
  }
  // "?" and "!" are what yaml-cpp reports for plain and quoted text.
  void refuse_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(mark.line + 1, path(), "tags (" + tag + ") are not read; remove it");
    }
  }
  void take_key(const YAML::Mark& mark, const std::string& key) {
    if (key == "<<") {
      fail(mark.line + 1, path(), "merge keys (<<) are not read; write the keys out");
    }
    if (key.empty()) fail(mark.line + 1, path(), "a key is empty");
    open_.back().key = key;
    open_.back().key_line = mark.line + 1;
  }
  void open(const YAML::Mark& mark, const std::string& tag, YamlTree::Kind kind) {
    refuse_tag(mark, tag);
    if (expects_key()) note(mark.line + 1, path(), "a key must be a plain word");
    if (open_.size() >= kMaxDepth) {
      fail(mark.line + 1, "", "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    Open opened;
    opened.tree.kind = kind;
    opened.tree.line = line_of_next(mark);
    opened.first_line = mark.line + 1;
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
      return;
    }
    Open& parent = open_.back();
    if (parent.tree.kind == YamlTree::Kind::kSequence) {
      parent.tree.sequence.push_back(std::move(tree));
      return;
    }
    if (!parent.key) {  // a map as a key, noted before
      parent.key = "";
      return;
    }
    const auto [first, is_new] = parent.lines.emplace(*parent.key, tree.line);
    if (!is_new) {
      throw_config_error(
          {tree.shown(), file_name_, tree.line}, path(),
          "is set twice, first in line " + std::to_string(first->second) + "; remove one");
    }
    parent.tree.map.push_back({std::move(*parent.key), std::move(tree)});
    parent.key.reset();
  }

  const std::string& file_name_;
  std::string_view yaml_;
  std::string first_fault_;
  std::vector<Open> open_;
  YamlTree root_;
  int documents_ = 0;
};

// The parser takes some control characters (byte 4) for the end of the file and drops the rest
// silently; bytes that are not UTF-8 it passes on.
void refuse_what_is_no_text(std::string_view yaml, const std::string& file_name) {
  const std::size_t invalid = first_invalid_utf8(yaml);
  const std::size_t control = static_cast<std::size_t>(
      std::find_if(yaml.begin(), yaml.end(),
                   [](char c) {
                     const auto byte = static_cast<unsigned char>(c);
                     return (byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7f;
                   }) -
      yaml.begin());
  const std::size_t at = std::min(invalid, control);
  if (at == yaml.size()) return;
  const std::string_view before = yaml.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t column = at - (before.rfind('\n') + 1) + 1;  // npos + 1 is 0
  char byte[8];
  std::snprintf(byte, sizeof byte, "0x%02x", static_cast<unsigned char>(yaml[at]));
  throw_at_line(file_name, static_cast<int>(line), "",
                "byte " + std::to_string(column) + " of the line (" + byte + ") is " +
                    (at == invalid ? "not UTF-8; save the file as UTF-8"
                                   : "a control character; this is no text file in UTF-8"));
}

}  // namespace

std::string YamlTree::shown() const {
  return kind == Kind::kScalar ? text : kind == Kind::kMap ? "{...}" : "[...]";
}

void throw_at_line(const std::string& file_name, int line, std::string_view key,
                   const std::string& rule) {
  throw ConfigError(text_at_line(file_name, line, key, rule));
}

YamlTree parse_yaml_tree(std::string_view yaml, const std::string& file_name) {
  if (yaml.size() > kMaxBytes) throw ConfigError(file_name + ": larger than 1 MiB");
  refuse_what_is_no_text(yaml, file_name);
  if (yaml.starts_with(kByteOrderMark)) yaml.remove_prefix(kByteOrderMark.size());
  std::istringstream stream{std::string(yaml)};
  TreeBuilder builder(file_name, yaml);
  try {
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    builder.explain(error);
  }
  return builder.take();
}

std::string read_yaml_text(const std::filesystem::path& file, uint64_t most) {
  try {
    const std::filesystem::file_status status = std::filesystem::status(file);
    if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
        !std::filesystem::is_directory(status)) {
      throw ConfigError(file.string() +
                        ": is no regular file but a pipe or a device; write its text to a file");
    }
    const auto bytes = std::filesystem::file_size(file);
    if (bytes > most) {
      throw ConfigError(file.string() + ": larger than " + std::to_string(most >> 20) + " MiB");
    }
    return bytes == 0 ? "" : read_whole_file(file);
  } catch (const ConfigError&) {
    throw;
  } catch (const std::filesystem::filesystem_error& error) {
    throw ConfigError(file.string() + ": cannot read: " + error.code().message());
  } catch (const std::runtime_error& error) {
    throw ConfigError(error.what());
  }
}

}  // namespace scalelaw
