#include "trainer/cli/explain.h"
#include "trainer/nearest.h"

#include <algorithm>
#include <set>

namespace scalelaw {
namespace {

std::string in_full(const ConfigKey& key) {
  std::string text = key.name + "\n  " + key.help + "\n";
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += "  " + std::string(label) + value + "\n";
  };
  line("type:     ", key.type);
  line("default:  ", key.default_text);
  line("unit:     ", key.unit);
  line("rule:     ", key.rule);
  line("identity: ", key.identity ? "yes: another value is another run"
                                  : "no: outside the run's hash, free to change");
  return text;
}

std::string first_sentence(const std::string& text) {
  return text.substr(0, text.find(". "));
}

std::string in_lines(const std::vector<const ConfigKey*>& keys) {
  std::size_t widest = 0;
  std::size_t widest_default = 0;
  for (const ConfigKey* key : keys) {
    widest = std::max(widest, key->name.size());
    widest_default = std::max(widest_default, key->default_text.size());
  }
  std::string text;
  for (const ConfigKey* key : keys) {
    text += key->name + std::string(widest + 2 - key->name.size(), ' ') + key->default_text +
            std::string(widest_default + 2 - key->default_text.size(), ' ') +
            first_sentence(key->help) + "\n";
  }
  return text;
}

// Names and their beginnings: "train", "train.optimizer", "train.optimizer.beta2".
std::vector<std::string> names_and_groups(const std::vector<ConfigKey>& keys) {
  std::set<std::string> names;
  for (const ConfigKey& key : keys) {
    for (auto dot = key.name.find('.'); dot != std::string::npos;
         dot = key.name.find('.', dot + 1)) {
      names.insert(key.name.substr(0, dot));
    }
    names.insert(key.name);
  }
  return {names.begin(), names.end()};
}

}  // namespace

std::string explain(const std::vector<ConfigKey>& keys, std::string_view query) {
  while (query.ends_with('.')) query.remove_suffix(1);
  const std::string beginning = std::string(query) + ".";
  std::vector<const ConfigKey*> below;
  for (const ConfigKey& key : keys) {
    if (key.name == query) return in_full(key);
    if (query.empty() || key.name.starts_with(beginning)) below.push_back(&key);
  }
  if (!below.empty()) return in_lines(below);
  const std::string close = nearest(query, names_and_groups(keys));
  throw ConfigError(std::string(query) + ": no such key" +
                    (close.empty() ? "" : "; did you mean " + close + "?") +
                    " (scalelaw explain lists them)");
}

}  // namespace scalelaw
