// YAML text as a tree with line numbers. The parser is behind this header alone.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace scalelaw {

struct YamlTree {
  enum class Kind { kScalar, kMap, kSequence };
  Kind kind = Kind::kScalar;
  int line = 0;
  std::string text;                                   // kScalar
  std::vector<std::pair<std::string, YamlTree>> map;  // kMap, in the file's order, keys unique
  std::vector<YamlTree> sequence;                     // kSequence
};

// ConfigError (file:line) for invalid YAML, over 1 MiB, nesting over 16, anchors, aliases, merge
// keys, tags, duplicate keys, keys that are no scalars, null values, control characters, an
// empty file, and more than one document.
YamlTree parse_yaml_tree(std::string_view yaml, const std::string& file_name);

// "line 7 of f.yaml: KEY: RULE", for faults of the file's structure, where a value to show is
// lacking; KEY and its colon are left out when it is empty.
[[noreturn]] void throw_at_line(const std::string& file_name, int line, std::string_view key,
                                const std::string& rule);

}  // namespace scalelaw
