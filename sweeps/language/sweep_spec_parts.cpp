#include "sweeps/language/sweep_spec_parts.h"

#include <algorithm>
#include <set>

#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

std::string first_part(const std::string& key) {
  return key.substr(0, key.find('.'));
}

// "data", "horizon", "model" ...: the first parts of a cell's keys.
const std::vector<std::string>& config_sections() {
  static const std::vector<std::string> sections = [] {
    std::set<std::string> found;
    for (const ConfigKey& key : config_keys()) found.insert(first_part(key.name));
    found.erase("spec");
    found.insert("ladder");
    return std::vector<std::string>(found.begin(), found.end());
  }();
  return sections;
}

}  // namespace

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::map<std::string, const YamlTree*> SpecParts::members(
    const YamlTree& value, const std::string& what, const std::vector<std::string>& known) const {
  if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
    fail(value, what,
         known.size() == 1 ? "must be a map of one key, " + known.front() + ": ..."
                           : "must be a map of " + joined(known));
  }
  std::map<std::string, const YamlTree*> found;
  for (const auto& [key, inner] : value.map) {
    if (std::ranges::find(known, key) == known.end()) {
      fail(inner, what + "." + key, "unknown key" + nearest_or_all(key, known));
    }
    found[key] = &inner;
  }
  return found;
}

void SpecParts::check_count(const YamlTree& where, std::string_view key, std::size_t count,
                            std::size_t most) const {
  if (count <= most) return;
  fail(where, key,
       "holds " + std::to_string(count) + "; at most " + std::to_string(most) + " are read");
}

void SpecParts::fail(const YamlTree& where, std::string_view key, const std::string& rule) const {
  if (where.kind != YamlTree::Kind::kScalar) fail(where.line, key, rule);
  throw_config_error({where.text, file_, where.line}, key, rule);
}

void SpecParts::fail(int line, std::string_view key, const std::string& rule) const {
  throw_at_line(file_, line, key, rule);
}

SourcedText SpecParts::scalar(const YamlTree& value, const std::string& key) const {
  if (value.kind == YamlTree::Kind::kSequence) {
    fail(value, key, "takes one value; several go into a block's grid, zip or list");
  }
  if (value.kind == YamlTree::Kind::kMap) fail(value, key, "takes one value, not further keys");
  return {value.text, file_, value.line};
}

std::string SpecParts::checked_name(const YamlTree& value, const std::string& key) const {
  std::string name = scalar(value, key).text;
  check_name(value, key, name);
  return name;
}
void SpecParts::check_name(const YamlTree& where, const std::string& key,
                           const std::string& name) const {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  if (!plain || name.empty() || name.size() > 64 || name.front() == '.' || name.front() == '-') {
    fail(where, key,
         "\"" + excerpt(name) +
             "\" is no name: 1 to 64 letters, digits, '_', '-' or '.', beginning with "
             "a letter, a digit or '_'");
  }
}

void SpecParts::check_section(const std::string& key, const YamlTree& value,
                              std::vector<std::string> parts) const {
  const std::vector<std::string>& sections = config_sections();
  const std::string first = first_part(key);
  if (std::find(sections.begin(), sections.end(), first) != sections.end()) return;
  check_place(key, value, parts);
  for (const std::string& section : sections) {
    if (std::ranges::find(parts, section) == parts.end()) parts.push_back(section);
  }
  if (const std::string near = nearest(first, parts); !near.empty()) {
    fail(value, key, "unknown key; did you mean " + near + "?");
  }
  const std::string elsewhere = did_you_mean(key);
  fail(value, key,
       "unknown key" + (elsewhere.empty() ? "; known here: " + joined(parts) : elsewhere));
}

void SpecParts::check_place(const std::string& key, const YamlTree& value,
                            const std::vector<std::string>& parts) const {
  const std::string first = first_part(key);
  if (std::ranges::find(parts, first) != parts.end()) {
    if (first == key) return;
    fail(value, key, "is written as `" + first + ": {" + key.substr(first.size() + 1) + ": ...}`");
  }
  const std::vector<SweepKey>& known = sweep_keys();
  const auto found = std::ranges::find(known, first, &SweepKey::name);
  if (found == known.end()) return;
  fail(value, key,
       found->in_block ? "stands in a block, or at the top of a file, and not here"
                       : "stands at the top of a file, and not here");
}

void SpecParts::refuse_sizes(const YamlTree& value, const std::string& key) const {
  const bool is_one = key == "ladder.n" && value.kind == YamlTree::Kind::kScalar;
  if (is_one || (key != "ladder.n" && !key.starts_with("ladder.n."))) return;
  fail(value.line, "ladder.n",
       "a range or a list of sizes stands in a block, as `ladder: {n: {from: 1e5, to: 1e8, "
       "per_decade: 3}}`, or so at the top of a file without blocks; here n is one size");
}

KeyFlattener SpecParts::flattener() const {
  return {file_, [parts = *this](const YamlTree& value, const std::string& key) {
            parts.refuse_sizes(value, key);
            return parts.scalar(value, key);
          }};
}

FlatConfig SpecParts::overrides(const YamlTree& value, const std::string& what) const {
  if (value.kind != YamlTree::Kind::kMap) {
    fail(value, what, "must hold keys of a configuration, as {model: {d_model: 64}}");
  }
  for (const auto& [key, inner] : value.map) check_section(key, inner, {});
  KeyFlattener keys = flattener();
  keys.add_members("", value);
  return keys.take();
}

}  // namespace scalelaw
