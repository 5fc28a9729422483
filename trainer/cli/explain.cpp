#include "trainer/cli/explain.h"

#include <algorithm>
#include <set>

#include "models/model_shape.h"
#include "trainer/nearest.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

// Some shape does not read it.
bool can_be_unread(const std::string& key) {
  ModelShape shape;
  for (const std::string& arch : architecture_names()) {
    for (const int64_t n_layer : {0, 1}) {
      shape.arch = arch;
      shape.n_layer = n_layer;
      for (const UnreadField& unread : unread_fields(shape)) {
        if (key == "model." + unread.field) return true;
      }
    }
  }
  return false;
}

std::string in_full(const ConfigKey& key) {
  std::string text = key.name + "\n  " + key.help + "\n";
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += "  " + std::string(label) + value + "\n";
  };
  line("type:     ", key.type);
  line("default:  ", key.default_text);
  line("unit:     ", key.unit);
  line("rule:     ", key.rule);
  line("identity: ", !key.identity ? "no: outside the run's hash, free to change"
                     : can_be_unread(key.name)
                         ? "yes: another value is another run, where the model reads it"
                         : "yes: another value is another run");
  return text;
}

// Of "isoflop.sizes" the entry of "isoflop", where that is no key of cells as a ladder's are.
const SweepKey& place_of(const SweepKey& key) {
  const std::string group = key.name.substr(0, key.name.find('.'));
  if (group == "ladder") return key;
  for (const SweepKey& other : sweep_keys()) {
    if (other.name == group) return other;
  }
  return key;
}

std::string in_full(const SweepKey& key) {
  const SweepKey& place = place_of(key);
  const std::string where = place.in_file && place.in_block
                                ? "at the top of a sweep file, in a block"
                            : place.in_file  ? "at the top of a sweep file"
                            : place.in_block ? "in a block of a sweep file"
                                             : "in a sweep file, wherever a run's keys stand";
  return key.name + "\n  " + key.help + "\n  where:    " + where + "\n  type:     " + key.type +
         "\n";
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

// Of the keys that a sweep file alone has, those that begin so; "" where there are none.
std::string sweep_lines(std::string_view beginning) {
  std::size_t widest = 0;
  for (const SweepKey& key : sweep_keys()) widest = std::max(widest, key.name.size());
  std::string text;
  for (const SweepKey& key : sweep_keys()) {
    if (!key.name.starts_with(beginning)) continue;
    text += key.name + std::string(widest + 2 - key.name.size(), ' ') + key.type + "\n";
  }
  return text.empty() ? "" : "\nIn a sweep file beside these:\n" + text;
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
  for (const SweepKey& key : sweep_keys()) names.insert(key.name);
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
  for (const SweepKey& key : sweep_keys()) {
    if (key.name == query) return in_full(key);
  }
  if (!below.empty()) return in_lines(below) + sweep_lines(query.empty() ? "" : beginning);
  const std::string close = nearest(query, names_and_groups(keys));
  throw ConfigError(
      std::string(query) + ": no such key" +
      (close.empty() ? did_you_mean(std::string(query)) : "; did you mean " + close + "?") +
      " (scalelaw explain lists them)");
}

}  // namespace scalelaw
