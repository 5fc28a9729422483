#include "trainer/cli/schema_values.h"

#include <functional>
#include <limits>
#include <optional>
#include <sstream>

#include "models/model_shape.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = SchemaJson;

constexpr const char* kAnySuffix = "k|[MGBTP%]|[KMGT]i";  // of parse_real()

// A number of a file: JSON's own, and as text what trainer/number.h reads beyond those.
struct Number {
  std::optional<double> least = {}, most = {}, above = {}, below = {};
  bool is_whole = false;
  bool may_be_expression = true;
  std::string suffixes = {};  // a pattern; those of trainer/number.h where it says nothing
};

Json number(const Number& allowed) {
  constexpr double kFinite = std::numeric_limits<double>::max();  // below YAML's .inf
  constexpr double kMostWhole = 9007199254740991;                 // as parse_whole()
  Json plain = {{"type", "number"}};
  if (allowed.least) plain["minimum"] = *allowed.least;
  if (allowed.above) plain["exclusiveMinimum"] = *allowed.above;
  if (!allowed.least && !allowed.above) plain["minimum"] = -kFinite;
  if (allowed.below) plain["exclusiveMaximum"] = *allowed.below;
  if (!allowed.below)
    plain["maximum"] = allowed.most.value_or(allowed.is_whole ? kMostWhole : kFinite);
  if (allowed.is_whole) plain["multipleOf"] = 1;
  const std::string usual = allowed.is_whole ? "k|[MGBTP]|[KMGT]i" : kAnySuffix;
  const bool is_signed = !(allowed.least.value_or(-1) >= 0 || allowed.above.value_or(-1) >= 0);
  const std::string digits = "([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?";
  const std::string text = std::string("^") + (is_signed ? "-?" : "") + digits + "(" +
                           (allowed.suffixes.empty() ? usual : allowed.suffixes) + ")?$" +
                           (allowed.may_be_expression ? "|^=" : "");
  return schema_either({plain, Json{{"type", "string"}, {"pattern", text}}});
}

// Of "> 0", ">= 0 and < 1".
void take_rule(const std::string& rule, Number& number) {
  std::istringstream words(rule);
  for (std::string sign, value; words >> sign >> value; words >> sign) {
    const double bound = parse_real(value).value();
    std::optional<double>& place = sign == ">"    ? number.above
                                   : sign == ">=" ? number.least
                                   : sign == "<"  ? number.below
                                                  : number.most;
    place = bound;
  }
}

Json one_of(const std::vector<std::string>& texts) {
  return {{"enum", texts}};
}

// YAML makes numbers and truths of some texts.
const Json kText = {{"type", {"string", "number", "boolean"}}};

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

Json centre() {
  return schema_either(
      {number({.above = 0}),
       {{"type", "object"},
        {"properties", {{"law", one_of({"chinchilla", "kaplan"})}, {"fit", kText}}},
        {"minProperties", 1},
        {"maxProperties", 1},
        {"additionalProperties", false}}});
}

// How many values a range has.
Json values_written() {
  return number({.least = 1, .most = 10000, .is_whole = true, .may_be_expression = false});
}

Json numbers() {
  const Json size = number({.above = 0});
  const Json end = number({.above = 0, .may_be_expression = false});
  Json range = {{"type", "object"},
                {"properties",
                 {{"from", end}, {"to", end}, {"per_decade", end}, {"sizes", values_written()}}},
                {"required", {"from", "to"}},
                {"additionalProperties", false}};
  range["oneOf"] = {{{"required", {"per_decade"}}}, {{"required", {"sizes"}}}};
  return schema_either({size, schema_list(size), range});
}

Json without_equals(Json list) {
  list["uniqueItems"] = true;
  return list;
}

}  // namespace

Json schema_reference(const std::string& definition) {
  return {{"$ref", "#/definitions/" + definition}};
}

Json schema_either(std::vector<Json> forms) {
  return {{"anyOf", std::move(forms)}};
}

Json schema_list(const Json& items, int least) {
  return {{"type", "array"}, {"items", items}, {"minItems", least}};
}

Json schema_name() {
  Json name = kText;
  name["pattern"] = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$";
  name["minimum"] = 0;
  name["maximum"] = std::numeric_limits<double>::max();
  return name;
}

Json schema_definitions() {
  return {{"numbers", numbers()}};
}

Json schema_value(const ConfigKey& key) {
  if (key.name == "spec") return {{"enum", {1, "1"}}};
  if (key.choices == std::vector<std::string>{"true", "false"}) {
    return {{"enum", {true, false, "true", "false"}}};
  }
  const bool is_duration = key.type.find("duration") != std::string::npos;
  if (!is_duration && key.type.find("number") == std::string::npos) {
    return key.choices.empty() ? kText : one_of(key.choices);
  }
  Number allowed;
  take_rule(key.rule, allowed);
  allowed.is_whole = key.type == kWholeNumber;
  if (is_duration) allowed.suffixes = "[smhd]";
  if (key.choices.empty()) return number(allowed);
  return schema_either({one_of(key.choices), number(allowed)});
}

Json schema_value(const SweepKey& key) {
  switch (key.value) {
    case SweepValue::kText:
      return kText;
    case SweepValue::kName:
      return schema_name();
    case SweepValue::kTextOrTexts:
      return schema_either({kText, schema_list(kText)});
    case SweepValue::kPositive:
      return number({.above = 0});
    case SweepValue::kPositiveWritten:
      return number({.above = 0, .may_be_expression = false});
    case SweepValue::kAboveOne:
      return number({.above = 1, .may_be_expression = false});
    case SweepValue::kAtLeastOne:
      return number({.least = 1});
    case SweepValue::kWhole:
      // Worked out as a number, which is then found whole.
      return number({.least = 1, .is_whole = true, .suffixes = kAnySuffix});
    case SweepValue::kWholeWritten:
      return values_written();
    case SweepValue::kExtensions:
      return number({.least = 0, .most = 20, .is_whole = true, .may_be_expression = false});
    case SweepValue::kBytes:
      return number({.above = 0, .may_be_expression = false, .suffixes = "([kMGTP]|[KMGT]i)?B?|%"});
    case SweepValue::kTime:
      return number({.above = 0, .may_be_expression = false, .suffixes = "[smhd]"});
    case SweepValue::kNumbers:
      return schema_reference("numbers");
    case SweepValue::kNCount:
      return one_of(conventions([](const auto& text) { return n_count_from(text).has_value(); }));
    case SweepValue::kCCount:
      return one_of(conventions([](const auto& text) { return c_count_from(text).has_value(); }));
    case SweepValue::kCount:
      return one_of(conventions([](const auto&) { return true; }));
    case SweepValue::kArms:
      return {{"type", "object"},
              {"additionalProperties", schema_reference("cell")},
              {"propertyNames", schema_name()},
              {"minProperties", 1}};
    case SweepValue::kBlocks:
      return schema_list(schema_reference("block"));
    case SweepValue::kAxes:
      return schema_reference("axes");
    case SweepValue::kCells:
      return schema_list(schema_reference("cell"));
    case SweepValue::kCentre:
      return centre();
    case SweepValue::kOrder:
      return one_of({"smallest_rung_first", "longest_first", "as_written"});
    case SweepValue::kDevice:
      return one_of({"auto", "cpu", "cuda"});
    case SweepValue::kCountOrAuto:
      return schema_either(
          {one_of({"auto"}),
           number({.least = 1, .most = 4096, .is_whole = true, .may_be_expression = false})});
    case SweepValue::kWhenReached:
      return one_of({"refuse", "start_nothing_new"});
    case SweepValue::kResumeState:
      return one_of({"until_complete", "always"});
    case SweepValue::kKeptWeights:
      return one_of({"all", "hold_out", "none"});
    case SweepValue::kCondition:
      return schema_either({{{"type", "string"}, {"pattern", "^[^=]"}}, {{"enum", {1}}}});
    case SweepValue::kFactors:
      return without_equals(
          schema_list(number({.least = 1e-6, .most = 1e6, .may_be_expression = false}), 3));
    case SweepValue::kSeeds:
      return without_equals(
          schema_list(number({.least = 0, .is_whole = true, .may_be_expression = false})));
    case SweepValue::kThen:
      return one_of({"fit_law"});
    case SweepValue::kMembers:
      break;  // what is below it says
  }
  return {{"type", "object"}, {"minProperties", 1}};
}

}  // namespace scalelaw
