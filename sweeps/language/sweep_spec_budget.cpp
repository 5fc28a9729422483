// What a sweep may cost, and what of it runs first.
#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

double amount(const SpecParts& parts, const YamlTree& value, const std::string& key,
              bool is_bytes) {
  const std::string text = parts.scalar(value, key).text;
  std::optional<double> number = parse_real(text);
  if (is_bytes && !number) {
    if (const std::optional<int64_t> bytes = parse_bytes(text)) {
      number = static_cast<double>(*bytes);
    }
  }
  if (!number || *number <= 0) {
    parts.fail(value, key,
               is_bytes ? "must be bytes above 0, as 200GB" : "must be a number above 0");
  }
  return *number;
}

}  // namespace

SweepBudget read_budget(const SpecParts& parts, const YamlTree& value) {
  if (value.kind != YamlTree::Kind::kMap || value.map.empty()) {
    parts.fail(value, "budget", "must hold amounts, as {flops: 5e18, device_hours: 60}");
  }
  static const std::vector<std::string> known = {"flops", "device_hours", "price", "disk",
                                                 "when_reached"};
  SweepBudget budget;
  for (const auto& [name, inner] : value.map) {
    const std::string key = "budget." + name;
    if (name == "flops") {
      budget.flops = amount(parts, inner, key, false);
    } else if (name == "device_hours") {
      budget.device_hours = amount(parts, inner, key, false);
    } else if (name == "price") {
      budget.price = amount(parts, inner, key, false);
    } else if (name == "disk") {
      budget.disk = amount(parts, inner, key, true);
    } else if (name == "when_reached") {
      const std::string text = parts.scalar(inner, key).text;
      if (text != "refuse" && text != "start_nothing_new") {
        parts.fail(inner, key, "must be refuse or start_nothing_new");
      }
      budget.starts_nothing_new = text == "start_nothing_new";
    } else {
      parts.fail(inner, key, "unknown key" + nearest_or_all(name, known));
    }
  }
  if (!budget.is_set())
    parts.fail(value, "budget", "says when it is reached, and of what it is not");
  return budget;
}

StartOrder read_order(const SpecParts& parts, const YamlTree& value) {
  static const std::vector<std::string> known = {"smallest_rung_first", "longest_first",
                                                 "as_written"};
  const std::string text = parts.scalar(value, "order").text;
  for (std::size_t i = 0; i < known.size(); ++i) {
    if (text == known[i]) return static_cast<StartOrder>(i);
  }
  const std::string near = nearest(text, known);
  parts.fail(value, "order",
             near.empty() ? "must be " + joined(known) : "did you mean " + near + "?");
}

}  // namespace scalelaw
