// YAML text as a tree with line numbers: what configurations and sweep files are read from. Maps,
// lists and plain values; the rest of YAML is refused, because it hides what a file says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

struct YamlMember;

struct YamlTree {
  enum class Kind { kScalar, kMap, kSequence };
  Kind kind = Kind::kMap;
  int line = 1;      // of the key that this is the value of; where it begins when there is none
  std::string text;  // kScalar
  std::vector<YamlMember> map;     // kMap, in the file's order, keys unique
  std::vector<YamlTree> sequence;  // kSequence

  std::string shown() const;  // for messages: the scalar's text, "{...}" or "[...]"
};

struct YamlMember {
  std::string key;
  YamlTree value;
};

// An empty map for a text without content. ConfigError (file, line) for: over 1 MiB, bytes that are
// not UTF-8, control characters, invalid YAML, nesting over 16, anchors, aliases, merge keys and
// tags, a key written twice in one map, keys that are no plain words, null values, and more than
// one document.
YamlTree parse_yaml_tree(std::string_view yaml, const std::string& file_name);
// The text to give it. ConfigError when the file is not there, is no regular file, cannot be read,
// or is over `most` bytes. One that says it is empty, as those of /proc do, is, and is not opened:
// reading some of them waits for ever.
std::string read_yaml_text(const std::filesystem::path& file, uint64_t most = uint64_t{1} << 20);

// "line 7 of f.yaml: KEY: RULE", for faults of the file's structure, where a value to show is
// lacking; KEY and its colon are left out when it is empty.
[[noreturn]] void throw_at_line(const std::string& file_name, int line, std::string_view key,
                                const std::string& rule);

}  // namespace scalelaw
