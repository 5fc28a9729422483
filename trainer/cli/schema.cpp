#include "trainer/cli/schema.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "trainer/cli/schema_values.h"

namespace scalelaw {
namespace {

using Json = SchemaJson;

std::string described(const ConfigKey& key) {
  std::string text = key.help + " Default " + key.default_text;
  if (!key.unit.empty()) text += "; " + key.unit;
  if (!key.rule.empty()) text += "; " + key.rule;
  return text + ".";
}

// Leaves by their dotted name. "data.test.NAME" is any name there.
using Leaves = std::map<std::string, Json>;

// Below a map that stands at a file's top alone, as `budget`.
bool is_of_files(const std::string& name) {
  const auto dot = name.find('.');
  const auto whole = std::ranges::find(sweep_keys(), name.substr(0, dot), &SweepKey::name);
  return dot != std::string::npos && whole != sweep_keys().end() && whole->in_file &&
         !whole->in_block;
}

// Parts of a file or a block that are maps of their own, which the reader takes whole.
bool is_taken_whole(const std::string& name) {
  return name.starts_with("isoflop.") || is_of_files(name);
}

const SweepKey* find_sweep_key(const std::string& name) {
  const auto found = std::ranges::find(sweep_keys(), name, &SweepKey::name);
  return found == sweep_keys().end() ? nullptr : &*found;
}

// What the map of the keys below `group` must hold.
void require(const std::string& group, Json& object) {
  for (const SweepKey& key : sweep_keys()) {
    const std::size_t dot = key.name.rfind('.');
    const bool is_of_group = dot != std::string::npos && key.name.substr(0, dot) == group;
    if (is_of_group && key.required) object["required"].push_back(key.name.substr(dot + 1));
  }
  const SweepKey* whole = find_sweep_key(group);
  if (whole != nullptr && whole->value == SweepValue::kMembers) object["minProperties"] = 1;
}

// No two of `names` side by side.
void allow_one_of(const std::vector<std::string>& names, Json& object) {
  for (auto one = names.begin(); one != names.end(); ++one) {
    for (auto other = one + 1; other != names.end(); ++other) {
      const Json& known = object["properties"];
      if (!known.contains(*one) || !known.contains(*other)) continue;
      object["not"]["anyOf"].push_back({{"required", {*one, *other}}});
    }
  }
}

// A horizon is asked for in one way.
void allow_one_horizon(const std::string& prefix, Json& object) {
  std::vector<std::string> forms;
  for (const auto& [name, value] : object["properties"].items()) {
    const std::string whole = prefix + name;
    if (whole.starts_with("horizon.") && whole != "horizon.count") forms.push_back(name);
  }
  allow_one_of(forms, object);
}

// The keys below `prefix`, nested and dotted and every way between.
Json object_of(const Leaves& leaves, const std::string& prefix) {
  Json object = {{"type", "object"}, {"properties", Json::object()}};
  object["additionalProperties"] = false;
  std::set<std::string> groups;
  for (const auto& [name, leaf] : leaves) {
    if (!name.starts_with(prefix)) continue;
    const std::string below = name.substr(prefix.size());
    if (below == "NAME") {
      object["additionalProperties"] = leaf;
      continue;
    }
    for (auto dot = below.find('.'); dot != std::string::npos; dot = below.find('.', dot + 1)) {
      groups.insert(below.substr(0, dot));
      if (is_taken_whole(name)) break;  // no dotted keys
    }
    if (below.ends_with(".NAME")) {
      const std::string group = below.substr(0, below.size() - std::string("NAME").size());
      object["patternProperties"]["^" + group] = leaf;
    } else if (below.find('.') == std::string::npos || !is_taken_whole(name)) {
      object["properties"][below] = leaf;
    }
  }
  for (const std::string& group : groups) {
    object["properties"][group] = object_of(leaves, prefix + group + ".");
    require(prefix + group, object["properties"][group]);
  }
  allow_one_horizon(prefix, object);
  return object;
}

Json with_help(Json value, const std::string& help) {
  // Beside a $ref draft 7 reads nothing.
  if (value.contains("$ref")) value = Json{{"allOf", Json::array({value})}};
  value["description"] = help;
  return value;
}

// Of a cell: the keys of runs and those that a cell of a sweep alone has.
Leaves leaves_of_cells() {
  Leaves leaves;
  for (const ConfigKey& key : config_keys()) {
    leaves[key.name] = with_help(schema_value(key), described(key));
  }
  leaves.erase("spec");
  for (SweepKey key : sweep_keys()) {
    if (key.value == SweepValue::kNumbers) key.value = SweepValue::kPositive;  // one of them
    const bool is_of_cells = key.name.starts_with("horizon.") || key.name.starts_with("ladder.");
    if (is_of_cells) leaves[key.name] = with_help(schema_value(key), key.help);
  }
  return leaves;
}

Leaves as_lists(const Leaves& leaves) {
  Leaves lists;
  for (const auto& [name, leaf] : leaves) lists[name] = schema_list(leaf);
  return lists;
}

// Of a file, or of a block.
Json part_of(Leaves leaves, bool SweepKey::*where) {
  for (auto& [name, leaf] : leaves) {
    if (name.starts_with("seeds.")) leaf = schema_either({leaf, schema_list(leaf)});
  }
  for (const SweepKey& key : sweep_keys()) {
    if (!(key.*where) || key.value == SweepValue::kMembers) continue;
    const bool names_arms = key.name == "arms" && where == &SweepKey::in_block;
    leaves[key.name] =
        with_help(names_arms ? schema_list(schema_name()) : schema_value(key), key.help);
  }
  for (const SweepKey& key : sweep_keys()) {
    if (key.value == SweepValue::kMembers) continue;
    const bool is_here = is_of_files(key.name) && where == &SweepKey::in_file;
    if (is_here || key.name.starts_with("isoflop.") || key.name == "ladder.n") {
      leaves[key.name] = with_help(schema_value(key), key.help);
    }
  }
  Json part = object_of(leaves, "");
  part["required"] = {"name"};
  return part;
}

// Combinations stand in blocks, or at the top of a file that has none.
void allow_blocks_alone(Json& file) {
  for (const char* combination : {"grid", "zip", "list", "isoflop"}) {
    allow_one_of({"blocks", combination}, file);
  }
}

}  // namespace

std::string sweep_file_schema() {
  const Leaves cells = leaves_of_cells();
  Leaves file = cells;
  const ConfigKey& spec = config_keys().front();
  file[spec.name] = with_help(schema_value(spec), spec.help);
  Json schema = part_of(file, &SweepKey::in_file);
  // An included file may say it.
  schema["anyOf"] = {{{"required", {spec.name}}}, {{"required", {"include"}}}};
  allow_blocks_alone(schema);
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "A sweep file of scalelaw";
  Json axes = object_of(as_lists(cells), "");
  axes["minProperties"] = 1;
  schema["definitions"] = schema_definitions();
  schema["definitions"]["cell"] = object_of(cells, "");
  schema["definitions"]["axes"] = axes;
  schema["definitions"]["block"] = part_of(cells, &SweepKey::in_block);
  return schema.dump(1) + "\n";
}

}  // namespace scalelaw
