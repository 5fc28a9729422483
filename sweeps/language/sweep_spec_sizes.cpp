// Parts of a block that ask for sizes: a ladder of parameters, an isoflop of budgets.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "models/model_shape.h"
#include "sweeps/language/named_laws.h"
#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int64_t kMostValues = 10'000;
constexpr double kSpacing = 2;
constexpr int64_t kSizes = 7;

// Six digits say what a person meant, and read well in messages.
std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return canonical(parse_real(text).value_or(value));
}

class SizeReader : private SpecParts {
 public:
  explicit SizeReader(const SpecParts& parts) : SpecParts(parts) {}

  void read_ladder(const YamlTree& value, SweepBlock& block, KeyFlattener& rules) const {
    if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
      fail(value, "ladder", "must hold sizes, as {n: {from: 1e5, to: 1e8, per_decade: 3}}");
    }
    for (const auto& [key, inner] : value.map) {
      const std::string name = "ladder." + key;
      if (key == "n") {
        block.grid.push_back({name, values(inner, name)});
      } else {
        rules.add(name, inner);
      }
    }
  }

  void read_isoflop(const YamlTree& value, SweepBlock& block, KeyFlattener& rules) const {
    if (value.kind != YamlTree::Kind::kMap) {
      fail(value, "isoflop",
           "must hold budgets and a centre, as {budgets: [1e15], centre: {law: "
           "chinchilla}}");
    }
    const std::map<std::string, const YamlTree*> parts =
        members(value, "isoflop", {"budgets", "count", "sizes", "spacing", "centre"});
    const auto part = [&](const std::string& key) {
      const auto found = parts.find(key);
      return found == parts.end() ? nullptr : found->second;
    };
    if (part("budgets") == nullptr) fail(value, "isoflop.budgets", "is missing; in FLOPs");
    if (part("centre") == nullptr) {
      fail(value, "isoflop.centre",
           "is missing; about which sizes of a budget lie: {law: chinchilla}, {law: kaplan}, "
           "{fit: FILE}, or an expression, as = 0.3 * budget^0.5");
    }
    block.grid.push_back({"horizon.flops", values(*part("budgets"), "isoflop.budgets")});
    for (SourcedText& budget : block.grid.back().values) budget.written_as = "isoflop.budgets";
    block.grid.push_back({"ladder.times", factors(value, part("sizes"), part("spacing"))});
    if (const YamlTree* fit = fit_of(*part("centre"))) {
      block.centre = SweepFit{scalar(*fit, "isoflop.centre.fit"), {}};
    } else {
      add("ladder.n", centre(*part("centre")), "isoflop.centre", rules);
    }
    SourcedText count = source(value);
    count.text = name(CCount::kExactCausal);
    if (part("count") != nullptr) {
      count = scalar(*part("count"), "isoflop.count");
    } else if (block.centre) {
      return;
    }
    add("horizon.count", count, "isoflop.count", rules);
  }

 private:
  static void add(const std::string& key, const SourcedText& text, const char* written_as,
                  KeyFlattener& rules) {
    YamlTree value;
    value.kind = YamlTree::Kind::kScalar;
    value.text = text.text;
    value.line = text.line;
    rules.add(key, value, written_as);
  }

  double positive(const YamlTree& value, const std::string& key) const {
    const std::optional<double> number = parse_real(scalar(value, key).text);
    if (!number || *number <= 0) fail(value, key, "must be a number above 0, as 1e5 or 20M");
    return *number;
  }

  // One, several, or from ... to evenly in logs.
  std::vector<SourcedText> values(const YamlTree& value, const std::string& key) const {
    if (value.kind == YamlTree::Kind::kScalar) return {scalar(value, key)};
    if (value.kind == YamlTree::Kind::kMap) return range(value, key);
    if (value.sequence.empty()) fail(value, key, "the list is empty; it needs a number");
    std::vector<SourcedText> all;
    for (const YamlTree& entry : value.sequence) all.push_back(scalar(entry, key));
    return all;
  }

  std::vector<SourcedText> range(const YamlTree& value, const std::string& key) const {
    const std::map<std::string, const YamlTree*> parts =
        members(value, key, {"from", "to", "per_decade", "sizes"});
    if (!parts.contains("from") || !parts.contains("to") ||
        parts.contains("per_decade") == parts.contains("sizes")) {
      fail(value, key,
           "takes from and to with one of per_decade and sizes, as {from: 1e5, to: 1e8, "
           "per_decade: 3}");
    }
    const double from = positive(*parts.at("from"), key + ".from");
    const double to = positive(*parts.at("to"), key + ".to");
    if (to < from) fail(*parts.at("to"), key + ".to", "is below from; nothing lies between");
    double steps = 0, ratio = 1;
    if (parts.contains("sizes")) {
      const int64_t sizes = whole(*parts.at("sizes"), key + ".sizes");
      steps = static_cast<double>(std::max<int64_t>(1, sizes) - 1);
      ratio = steps > 0 ? std::pow(to / from, 1 / steps) : 1;
    } else {
      const double per_decade = positive(*parts.at("per_decade"), key + ".per_decade");
      ratio = std::pow(10, 1 / per_decade);
      steps = std::floor(std::log10(to / from) * per_decade + 1e-9);
    }
    if (steps >= static_cast<double>(kMostValues)) {
      fail(value, key, "asks for more than " + std::to_string(kMostValues) + " values");
    }
    std::vector<SourcedText> all;
    for (int64_t i = 0; i <= std::llrint(steps); ++i) {
      SourcedText number = source(value);
      number.text = short_number(from * std::pow(ratio, static_cast<double>(i)));
      all.push_back(number);
    }
    return all;
  }

  int64_t whole(const YamlTree& value, const std::string& key) const {
    const std::optional<int64_t> number = parse_whole(scalar(value, key).text);
    if (!number || *number < 1 || *number > kMostValues) {
      fail(value, key, "must be a whole number, 1 to " + std::to_string(kMostValues));
    }
    return *number;
  }

  // On the centre's size: symmetric about 1 in logs.
  std::vector<SourcedText> factors(const YamlTree& where, const YamlTree* sizes_part,
                                   const YamlTree* spacing_part) const {
    const int64_t sizes = sizes_part == nullptr ? kSizes : whole(*sizes_part, "isoflop.sizes");
    const double spacing =
        spacing_part == nullptr ? kSpacing : positive(*spacing_part, "isoflop.spacing");
    if (spacing <= 1) fail(*spacing_part, "isoflop.spacing", "must be above 1: size to size");
    std::vector<SourcedText> all;
    for (int64_t i = 0; i < sizes; ++i) {
      const double step = static_cast<double>(i) - static_cast<double>(sizes - 1) / 2;
      SourcedText factor = source(where);
      factor.text = short_number(std::pow(spacing, step));
      all.push_back(factor);
    }
    return all;
  }

  // nullptr: the centre is no fit.
  const YamlTree* fit_of(const YamlTree& value) const {
    if (value.kind != YamlTree::Kind::kMap || value.map.size() != 1) return nullptr;
    return value.map.front().key == "fit" ? &value.map.front().value : nullptr;
  }

  SourcedText centre(const YamlTree& value) const {
    const std::string key = "isoflop.centre";
    if (value.kind == YamlTree::Kind::kScalar) {
      if (value.text.starts_with('=') || parse_real(value.text)) return scalar(value, key);
      fail(value, key,
           "must be {law: chinchilla}, {law: kaplan}, {fit: FILE} or an expression behind =");
    }
    if (value.kind != YamlTree::Kind::kMap)
      fail(value, key, "takes one value, {law: NAME} or {fit: FILE}");
    const std::map<std::string, const YamlTree*> parts = members(value, key, {"law", "fit"});
    if (!parts.contains("law") || parts.contains("fit")) {
      fail(value, key, "takes one of {law: chinchilla}, {law: kaplan} and {fit: FILE}");
    }
    const SourcedText law = scalar(*parts.at("law"), key + ".law");
    static const std::vector<std::string> kLaws = {"chinchilla", "kaplan"};
    if (std::ranges::find(kLaws, law.text) == kLaws.end()) {
      const std::string near = nearest(law.text, kLaws);
      fail(*parts.at("law"), key + ".law",
           near.empty() ? "there are " + joined(kLaws) : "did you mean " + near + "?");
    }
    SourcedText call = law;
    call.text = "= " + law.text + "_n(budget)";
    return call;
  }
};

}  // namespace

void count_as_the_centre(SweepBlock& block) {
  const auto centre = block.overrides.find("ladder.n");
  if (centre == block.overrides.end() || block.overrides.contains("ladder.count")) return;
  for (const NamedLaw& law : named_laws()) {
    if (centre->second.text != "= " + std::string(law.function) + "(budget)") continue;
    SourcedText count = centre->second;
    count.text = name(law.n_counts);
    block.overrides.emplace("ladder.count", count);
  }
}

void read_ladder(const SpecParts& parts, const YamlTree& value, SweepBlock& block,
                 KeyFlattener& rules) {
  SizeReader(parts).read_ladder(value, block, rules);
}

void read_isoflop(const SpecParts& parts, const YamlTree& value, SweepBlock& block,
                  KeyFlattener& rules) {
  SizeReader(parts).read_isoflop(value, block, rules);
}

}  // namespace scalelaw
