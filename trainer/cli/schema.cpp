#include "trainer/cli/schema.h"

#include <algorithm>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "models/model_shape.h"
#include "trainer/config_yaml.h"
#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

Json reference(const std::string& definition) {
  return {{"$ref", "#/definitions/" + definition}};
}

Json texts_enum(const std::vector<std::string>& texts) {
  return {{"enum", texts}};
}

Json either(std::vector<Json> forms) {
  return {{"anyOf", std::move(forms)}};
}

Json list_of(const Json& items) {
  return {{"type", "array"}, {"items", items}, {"minItems", 1}};
}

const Json kText = {{"type", "string"}};

std::string described(const ConfigKey& key) {
  std::string text = key.help + " Default " + key.default_text;
  if (!key.unit.empty()) text += "; " + key.unit;
  if (!key.rule.empty()) text += "; " + key.rule;
  return text + ".";
}

Json value_of(const ConfigKey& key) {
  const bool is_truth = key.choices == std::vector<std::string>{"true", "false"};
  const bool is_number = key.type.find("number") != std::string::npos ||
                         key.type.find("duration") != std::string::npos;
  if (key.name == "spec") return {{"enum", Json::array({1})}};
  if (is_truth) return {{"type", "boolean"}};
  if (is_number && !key.choices.empty()) {
    return either({texts_enum(key.choices), reference("number")});
  }
  if (is_number) return reference("number");
  return key.choices.empty() ? kText : texts_enum(key.choices);
}

std::vector<std::string> conventions(const std::function<bool(const std::string&)>& is_one) {
  std::vector<std::string> known;
  for (const NCount count :
       {NCount::kNonEmbedding, NCount::kNonEmbeddingPlusHead, NCount::kTotal}) {
    if (is_one(std::string(name(count)))) known.emplace_back(name(count));
  }
  for (const CCount count : {CCount::kExactCausal, CCount::kSixN, CCount::kSixNPlusHead,
                             CCount::kExactFull, CCount::kChinchilla}) {
    if (is_one(std::string(name(count)))) known.emplace_back(name(count));
  }
  return known;
}

Json value_of(const SweepKey& key) {
  switch (key.value) {
    case SweepValue::kText:
      return kText;
    case SweepValue::kTextOrTexts:
      return either({kText, list_of(kText)});
    case SweepValue::kNumber:
      return reference("number");
    case SweepValue::kNumbers:
      return reference("numbers");
    case SweepValue::kNCount:
      return texts_enum(
          conventions([](const auto& text) { return n_count_from(text).has_value(); }));
    case SweepValue::kCCount:
      return texts_enum(
          conventions([](const auto& text) { return c_count_from(text).has_value(); }));
    case SweepValue::kCount:
      return texts_enum(conventions([](const auto&) { return true; }));
    case SweepValue::kArms:
      return {{"type", "object"}, {"additionalProperties", reference("cell")}};
    case SweepValue::kBlocks:
      return list_of(reference("block"));
    case SweepValue::kAxes:
      return reference("axes");
    case SweepValue::kCells:
      return list_of(reference("cell"));
    case SweepValue::kCentre:
      return either(
          {reference("number"),
           {{"type", "object"},
            {"properties", {{"law", texts_enum({"chinchilla", "kaplan"})}, {"fit", kText}}},
            {"minProperties", 1},
            {"maxProperties", 1},
            {"additionalProperties", false}}});
    case SweepValue::kOrder:
      return texts_enum({"smallest_rung_first", "longest_first", "as_written"});
    case SweepValue::kDevice:
      return texts_enum({"auto", "cpu", "cuda"});
    case SweepValue::kCountOrAuto:
      return either({texts_enum({"auto"}), reference("number")});
    case SweepValue::kWhenReached:
      return texts_enum({"refuse", "start_nothing_new"});
    case SweepValue::kResumeState:
      return texts_enum({"until_complete", "always"});
    case SweepValue::kKeptWeights:
      return texts_enum({"all", "hold_out", "none"});
    case SweepValue::kCondition:
      return kText;
    case SweepValue::kFactors:
    case SweepValue::kSeeds:
      return list_of(reference("number"));
    case SweepValue::kThen:
      return texts_enum({"fit_law"});
    case SweepValue::kMembers:
      break;  // what is below it says
  }
  return {{"type", "object"}};
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
    }
    if (below.ends_with(".NAME")) {
      const std::string group = below.substr(0, below.size() - std::string("NAME").size());
      object["patternProperties"]["^" + group] = leaf;
    } else if (!prefix.empty() || !is_taken_whole(name)) {
      object["properties"][below] = leaf;
    }
  }
  for (const std::string& group : groups) {
    object["properties"][group] = object_of(leaves, prefix + group + ".");
  }
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
    leaves[key.name] = with_help(value_of(key), described(key));
  }
  leaves.erase("spec");
  for (const SweepKey& key : sweep_keys()) {
    const bool is_of_cells = key.name.starts_with("horizon.") || key.name.starts_with("ladder.");
    if (is_of_cells) leaves[key.name] = with_help(value_of(key), key.help);
  }
  return leaves;
}

Leaves as_lists(const Leaves& leaves) {
  Leaves lists;
  for (const auto& [name, leaf] : leaves) lists[name] = list_of(leaf);
  return lists;
}

// Of a file, or of a block.
Json part_of(Leaves leaves, bool SweepKey::*where) {
  for (auto& [name, leaf] : leaves) {
    if (name.starts_with("seeds.")) leaf = either({leaf, list_of(leaf)});
  }
  for (const SweepKey& key : sweep_keys()) {
    if (!(key.*where) || key.value == SweepValue::kMembers) continue;
    const bool names_arms = key.name == "arms" && where == &SweepKey::in_block;
    leaves[key.name] = with_help(names_arms ? list_of(kText) : value_of(key), key.help);
  }
  for (const SweepKey& key : sweep_keys()) {
    if (key.value == SweepValue::kMembers) continue;
    const bool is_here = is_of_files(key.name) && where == &SweepKey::in_file;
    if (is_here || key.name.starts_with("isoflop.")) {
      leaves[key.name] = with_help(value_of(key), key.help);
    }
  }
  return object_of(leaves, "");
}

Json numbers() {
  const Json number = reference("number");
  const Json range = {
      {"type", "object"},
      {"properties", {{"from", number}, {"to", number}, {"per_decade", number}, {"sizes", number}}},
      {"required", {"from", "to"}},
      {"additionalProperties", false}};
  return either({number, list_of(number), range});
}

}  // namespace

std::string sweep_file_schema() {
  const Leaves cells = leaves_of_cells();
  Leaves file = cells;
  file["spec"] = {{"enum", Json::array({1})},
                  {"description", "Which set of frozen defaults the keys left out take."}};
  Json schema = part_of(file, &SweepKey::in_file);
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "A sweep file of scalelaw";
  Json block = part_of(cells, &SweepKey::in_block);
  block["required"] = {"name"};
  schema["definitions"] = {
      {"number", either({Json{{"type", "number"}},
                         Json{{"type", "string"}, {"pattern", "^(=|[-+.]?[0-9])"}}})},
      {"numbers", numbers()},
      {"cell", object_of(cells, "")},
      {"axes", object_of(as_lists(cells), "")},
      {"block", block}};
  return schema.dump(1) + "\n";
}

}  // namespace scalelaw
