#include "sweeps/sweep_spec.h"

#include <algorithm>
#include <set>

#include "sweeps/sweep_spec_yaml.h"
#include "trainer/atomic_file.h"
#include "trainer/hash.h"

namespace scalelaw {
namespace {

using Kind = YamlTree::Kind;
using Entry = std::pair<std::string, YamlTree>;

// Planned, and named in the documentation: a typo's message would mislead.
const std::vector<std::string> kLaterParts = {"hold_out", "tune",     "budget", "ladder",
                                              "isoflop",  "executor", "keep",   "order"};

std::string first_part(const std::string& key) {
  return key.substr(0, key.find('.'));
}

// "data", "horizon", "model" ...: the first parts of a run configuration's keys.
const std::vector<std::string>& config_sections() {
  static const std::vector<std::string> sections = [] {
    std::set<std::string> found;
    for (const ConfigKey& key : config_keys()) found.insert(first_part(key.name));
    found.erase("spec");
    return std::vector<std::string>(found.begin(), found.end());
  }();
  return sections;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

class SpecReader {
 public:
  explicit SpecReader(const std::string& file) : file_(file) {}

  SweepSpec read(const YamlTree& root) {
    SweepSpec spec;
    if (root.kind != Kind::kMap) fail(root, "", "a sweep file is a list of `key: value` lines");
    // Arms first, so that blocks may name them whatever the order in the file.
    for (const auto& [key, value] : root.map) {
      if (key == "arms") read_arms(value, spec);
    }
    for (const auto& [key, value] : root.map) {
      if (key == "name") {
        spec.name = checked_name(value, "name");
      } else if (key == "blocks") {
        read_blocks(value, spec);
      } else if (key == "spec") {
        spec.base.emplace(key, scalar(value, key));
      } else if (key != "arms") {
        check_section(key, value, {"spec", "name", "arms", "blocks"});
        flatten(key, value, spec.base);
      }
    }
    if (!spec.base.contains("spec")) {
      fail(root, "spec", "is missing; write `spec: 1`, the number that freezes the defaults");
    }
    if (spec.name.empty()) fail(root, "name", "is missing; write `name: my_sweep`");
    return spec;
  }

 private:
  [[noreturn]] void fail(const YamlTree& where, std::string_view key,
                         const std::string& rule) const {
    if (where.kind != Kind::kScalar) throw_at_line(file_, where.line, key, rule);
    throw_config_error({where.text, file_, where.line}, key, rule);
  }

  SourcedText scalar(const YamlTree& value, const std::string& key) const {
    if (value.kind == Kind::kSequence) {
      fail(value, key, "takes one value; several go into a block's grid, zip or list");
    }
    if (value.kind == Kind::kMap) fail(value, key, "takes one value, not further keys");
    if (value.text.starts_with("=")) {
      fail(value, key, "expressions are not supported yet; write the value itself");
    }
    return {value.text, file_, value.line};
  }

  std::string checked_name(const YamlTree& value, const std::string& key) const {
    const std::string name = scalar(value, key).text;
    check_name(value, key, name);
    return name;
  }
  void check_name(const YamlTree& where, const std::string& key, const std::string& name) const {
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '_' || c == '-' || c == '.';
    });
    if (!plain || name.empty() || name.size() > 64 || name.front() == '.' || name.front() == '-') {
      fail(where, key,
           "\"" + name +
               "\" is no name: 1 to 64 letters, digits, '_', '-' or '.', beginning with "
               "a letter, a digit or '_'");
    }
  }

  void check_section(const std::string& key, const YamlTree& value,
                     std::vector<std::string> parts) const {
    const std::vector<std::string>& sections = config_sections();
    const std::string first = first_part(key);
    if (std::find(sections.begin(), sections.end(), first) != sections.end()) return;
    parts.insert(parts.end(), sections.begin(), sections.end());
    if (std::find(kLaterParts.begin(), kLaterParts.end(), first) != kLaterParts.end()) {
      fail(value, key, "is not supported yet; known here: " + joined(parts));
    }
    const std::string near = nearest(first, parts);
    fail(value, key,
         near.empty() ? "unknown key; known here: " + joined(parts)
                      : "unknown key; did you mean " + near + "?");
  }

  // {a: {b: 1}, "a.c": 2} -> a.b = 1, a.c = 2
  void flatten(const std::string& key, const YamlTree& value, FlatConfig& into) const {
    if (value.kind == Kind::kMap && !value.map.empty()) {
      for (const auto& [inner, inner_value] : value.map) {
        flatten(key + "." + inner, inner_value, into);
      }
      return;
    }
    const SourcedText text =
        value.kind == Kind::kMap ? SourcedText{kEmptyGroup, file_, value.line} : scalar(value, key);
    const auto [place, inserted] = into.emplace(key, text);
    if (!inserted) {
      fail(value, key,
           "is set twice, first in line " + std::to_string(place->second.line) + "; remove one");
    }
  }
  FlatConfig overrides(const YamlTree& value, const std::string& what) const {
    if (value.kind != Kind::kMap) {
      fail(value, what, "must hold keys of a configuration, as {model: {d_model: 64}}");
    }
    FlatConfig flat;
    for (const auto& [key, inner] : value.map) {
      check_section(key, inner, {});
      flatten(key, inner, flat);
    }
    return flat;
  }

  void read_arms(const YamlTree& value, SweepSpec& spec) const {
    if (value.kind != Kind::kMap || value.map.empty()) {
      fail(value, "arms", "must hold names with what each overrides, as {lstm: {model: ...}}");
    }
    for (const auto& [name, inner] : value.map) {
      check_name(inner, "arms", name);
      spec.arms.push_back({name, overrides(inner, "arms." + name)});
    }
  }

  void read_blocks(const YamlTree& value, SweepSpec& spec) const {
    if (value.kind != Kind::kSequence || value.sequence.empty()) {
      fail(value, "blocks", "must be a list of blocks, as [{name: sizes, grid: {...}}]");
    }
    for (const YamlTree& entry : value.sequence) {
      SweepBlock block = read_block(entry, spec);
      for (const SweepBlock& before : spec.blocks) {
        if (before.name == block.name) {
          fail(entry, "blocks", "two blocks are named " + block.name + "; rename one");
        }
      }
      spec.blocks.push_back(std::move(block));
    }
  }

  SweepBlock read_block(const YamlTree& value, const SweepSpec& spec) const {
    if (value.kind != Kind::kMap) fail(value, "blocks", "a block is {name: ..., grid: ...}");
    SweepBlock block;
    for (const auto& [key, inner] : value.map) {
      if (key == "name") {
        block.name = checked_name(inner, "blocks.name");
      } else if (key == "grid" || key == "zip") {
        (key == "grid" ? block.grid : block.zip) = read_axes(inner, key);
      } else if (key == "list") {
        read_list(inner, block);
      } else if (key == "arms") {
        read_block_arms(inner, spec, block);
      } else {
        check_section(key, inner, {"name", "grid", "zip", "list", "arms"});
        flatten(key, inner, block.overrides);
      }
    }
    if (block.name.empty()) fail(value, "blocks", "this block has no name; add `name: sizes`");
    check_zip(block);
    check_set_once(block);
    return block;
  }

  void read_block_arms(const YamlTree& value, const SweepSpec& spec, SweepBlock& block) const {
    if (value.kind != Kind::kSequence || value.sequence.empty()) {
      fail(value, "arms", "must be a list of the sweep's arms, as [lstm]");
    }
    std::vector<std::string> known;
    for (const SweepArm& arm : spec.arms) known.push_back(arm.name);
    for (const YamlTree& entry : value.sequence) {
      const std::string name = scalar(entry, "arms").text;
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        const std::string near = nearest(name, known);
        fail(entry, "arms",
             known.empty() ? "no such arm; the sweep has no arms"
                           : "no such arm; " + (near.empty() ? "there are " + joined(known)
                                                             : "did you mean " + near + "?"));
      }
      if (std::find(block.arms.begin(), block.arms.end(), name) != block.arms.end()) {
        fail(entry, "arms", "this arm is named twice; remove one");
      }
      block.arms.push_back(name);
    }
  }

  std::vector<SweepAxis> read_axes(const YamlTree& value, const std::string& what) const {
    if (value.kind != Kind::kMap || value.map.empty()) {
      fail(value, what, "must hold keys with lists, as {model.d_model: [16, 32]}");
    }
    std::vector<SweepAxis> axes;
    for (const auto& [key, inner] : value.map) {
      check_section(key, inner, {});
      add_axes(key, inner, what, axes);
    }
    return axes;
  }
  void add_axes(const std::string& key, const YamlTree& value, const std::string& what,
                std::vector<SweepAxis>& axes) const {
    if (value.kind == Kind::kMap) {
      for (const auto& [inner, inner_value] : value.map) {
        add_axes(key + "." + inner, inner_value, what, axes);
      }
      return;
    }
    if (value.kind == Kind::kScalar) {
      fail(value, key, "takes a list in a " + what + ", as [" + value.text + "]");
    }
    if (value.sequence.empty()) fail(value, key, "the list is empty; a " + what + " needs values");
    SweepAxis axis{key, {}};
    for (const YamlTree& entry : value.sequence) axis.values.push_back(scalar(entry, key));
    axes.push_back(std::move(axis));
  }

  void read_list(const YamlTree& value, SweepBlock& block) const {
    if (value.kind != Kind::kSequence || value.sequence.empty()) {
      fail(value, "list", "must be a list of overrides, as [{model: {d_model: 64}}]");
    }
    for (const YamlTree& entry : value.sequence) block.list.push_back(overrides(entry, "list"));
  }

  void check_zip(const SweepBlock& block) const {
    for (const SweepAxis& axis : block.zip) {
      const SweepAxis& first = block.zip.front();
      if (axis.values.size() != first.values.size()) {
        throw_at_line(file_, axis.values.front().line, axis.key,
                      "zip takes lists of one length: this one has " +
                          std::to_string(axis.values.size()) + " values, " + first.key + " has " +
                          std::to_string(first.values.size()));
      }
    }
  }

  // Which of two settings would win is a guess the file should not leave to its reader.
  void check_set_once(const SweepBlock& block) const {
    std::map<std::string, int> line_of;
    const auto add = [&](const std::string& key, const SourcedText& value) {
      const auto [place, inserted] = line_of.emplace(key, value.line);
      if (!inserted) {
        throw_config_error(value, key,
                           "is set twice in block " + block.name + ", first in line " +
                               std::to_string(place->second) + "; remove one");
      }
    };
    for (const auto& [key, value] : block.overrides) add(key, value);
    for (const SweepAxis& axis : block.grid) add(axis.key, axis.values.front());
    for (const SweepAxis& axis : block.zip) add(axis.key, axis.values.front());
    FlatConfig listed;
    for (const FlatConfig& entry : block.list) listed.insert(entry.begin(), entry.end());
    for (const auto& [key, value] : listed) add(key, value);
  }

  const std::string& file_;
};

}  // namespace

SweepSpec parse_sweep_spec(std::string_view yaml, const std::string& file_name) {
  SweepSpec spec = SpecReader(file_name).read(parse_yaml_tree(yaml, file_name));
  spec.file = file_name;
  spec.content_hash = hash_hex(yaml);
  return spec;
}

SweepSpec read_sweep_spec(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    throw ConfigError(file.string() + ": no such sweep file");
  }
  return parse_sweep_spec(read_whole_file(file), file.string());
}

}  // namespace scalelaw
