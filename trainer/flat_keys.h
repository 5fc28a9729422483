// Nested maps as dotted keys: what a run's file and the parts of a sweep's are turned into.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

#include "trainer/config_yaml.h"
#include "trainer/yaml_tree.h"

namespace scalelaw {

// The text that stands for an empty map under its own key.
inline constexpr const char* kEmptyGroup = "{}";

// {a: {b: 1}, "a.c": 2} -> a.b = 1, a.c = 2. ConfigError (file, line, key) for a key, of a map or
// of a value, that is set twice.
class KeyFlattener {
 public:
  // Gives a scalar's or a list's text, or throws the ConfigError of what may not stand there.
  using Leaf = std::function<SourcedText(const YamlTree& value, const std::string& key)>;
  KeyFlattener(std::string file, Leaf leaf) : file_(std::move(file)), leaf_(std::move(leaf)) {}

  // `written_as`: of a value that the file has under another key (SourcedText).
  void add(const std::string& key, const YamlTree& value, const char* written_as = nullptr);
  void add_members(const std::string& prefix, const YamlTree& map);
  FlatConfig take() { return std::move(flat_); }

 private:
  std::string file_;
  Leaf leaf_;
  FlatConfig flat_;
  std::map<std::string, int> lines_;  // of every key written
};

}  // namespace scalelaw
