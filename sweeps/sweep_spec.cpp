#include "sweeps/sweep_spec.h"

#include <algorithm>
#include <map>
#include <utility>

#include "sweeps/sweep_spec_parts.h"
#include "trainer/hash.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

void read_arms(const SpecParts& parts, const YamlTree& value, SweepSpec& spec) {
  if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
    parts.fail(value, "arms", "must hold names with what each overrides, as {lstm: {model: ...}}");
  }
  parts.check_count(value, "arms", value.map.size(), kMaxArms);
  for (const auto& [name, inner] : value.map) {
    parts.check_name(inner, "arms", name);
    spec.arms.push_back({name, parts.overrides(inner, "arms." + name)});
  }
}

bool sets(const SweepBlock& block, const std::string& key) {
  const auto is_axis = [&](const std::vector<SweepAxis>& axes) {
    return std::ranges::find(axes, key, &SweepAxis::key) != axes.end();
  };
  return block.overrides.contains(key) || is_axis(block.grid) || is_axis(block.zip) ||
         std::ranges::any_of(block.list, [&](const FlatConfig& e) { return e.contains(key); });
}

// Of every block that says nothing of them.
void add_seeds(const std::vector<SweepAxis>& seeds, SweepSpec& spec) {
  std::map<std::string, int> line_of;
  for (const SweepAxis& axis : seeds) {
    const SourcedText& first = axis.values.front();
    const auto [other, is_new] = line_of.emplace(axis.key, first.line);
    const auto one = spec.base.find(axis.key);
    if (is_new && one == spec.base.end()) continue;
    throw_config_error(first, axis.key,
                       "is set twice, in line " +
                           std::to_string(is_new ? one->second.line : other->second) +
                           " too; remove one");
  }
  if (!seeds.empty() && spec.blocks.empty()) spec.blocks.push_back({});
  for (SweepBlock& block : spec.blocks) {
    for (const SweepAxis& axis : seeds) {
      if (!sets(block, axis.key)) block.grid.push_back(axis);
    }
  }
}

// Of a file without blocks. A ladder without sizes is rules for the blocks' ladders.
bool is_combination(const std::string& key, const YamlTree& value) {
  const auto holds_sizes = [&] {
    return value.kind != YamlTree::Kind::kMap ||
           std::ranges::find(value.map, "n", &YamlMember::key) != value.map.end();
  };
  return key == "grid" || key == "zip" || key == "list" || key == "isoflop" ||
         (key == "ladder" && holds_sizes());
}

SweepSpec read_spec(const SpecParts& parts, const YamlTree& root) {
  SweepSpec spec;
  if (root.kind != YamlTree::Kind::kMap) {
    parts.fail(root, "", "a sweep file is a list of `key: value` lines");
  }
  if (root.map.empty()) parts.fail(root, "", "the file is empty; begin with `spec: 1`");
  // Arms first, so that blocks may name them whatever the order in the file.
  for (const auto& [key, value] : root.map) {
    if (key == "arms") read_arms(parts, value, spec);
  }
  KeyFlattener base = parts.flattener();
  YamlTree combinations;
  std::vector<SweepAxis> seeds;
  for (const auto& [key, value] : root.map) {
    if (key == "name") {
      spec.name = parts.checked_name(value, "name");
    } else if (key == "blocks") {
      read_blocks(parts, value, spec);
    } else if (key == "spec") {
      spec.base.emplace(key, parts.scalar(value, key));
    } else if (is_combination(key, value)) {
      combinations.map.push_back({key, value});
    } else if (key != "arms") {
      std::vector<std::string> known = {"spec"};
      for (std::string& name : sweep_file_keys()) known.push_back(std::move(name));
      parts.check_section(key, value, std::move(known));
      add_with_seeds(parts, key, value, base, seeds);
    }
  }
  if (!combinations.map.empty()) {
    const auto& [key, value] = combinations.map.front();
    if (!spec.blocks.empty()) {
      parts.fail(value, key, "stands beside blocks; give it a name and move it into them");
    }
    read_combinations(parts, combinations, spec);
  }
  spec.base.merge(base.take());
  add_seeds(seeds, spec);
  if (!spec.base.contains("spec")) {
    parts.fail(root, "spec", "is missing; write `spec: 1`, the number that freezes the defaults");
  }
  if (spec.name.empty()) parts.fail(root, "name", "is missing; write `name: my_sweep`");
  return spec;
}

}  // namespace

SweepSpec parse_sweep_spec(std::string_view yaml, const std::string& file_name) {
  SweepSpec spec = read_spec(SpecParts(file_name), parse_yaml_tree(yaml, file_name));
  spec.file = file_name;
  spec.content_hash = hash_hex(yaml);
  return spec;
}

SweepSpec read_sweep_spec(const std::filesystem::path& file) {
  return parse_sweep_spec(read_yaml_text(file), file.string());
}

}  // namespace scalelaw
