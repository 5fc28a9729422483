// What must be known before some cells start: rates that trials find, losses that are predicted.
#include <algorithm>
#include <set>

#include "sweeps/language/sweep_spec_parts.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

const std::string kKey = "tune.learning_rate";
constexpr std::size_t kLeastFactors = 3, kMostFactors = 100, kMostSeeds = 100;
constexpr int64_t kMostExtensions = 20;
constexpr double kLeastFactor = 1e-6, kApart = 1.05;

const std::vector<YamlTree>& list(const SpecParts& parts, const YamlTree& value,
                                  const std::string& key) {
  if (value.kind != YamlTree::Kind::kSequence) parts.fail(value, key, "must be a list");
  return value.sequence;
}

std::vector<double> factors(const SpecParts& parts, const YamlTree& value) {
  const std::string key = kKey + ".factors";
  std::set<double> all;
  for (const YamlTree& entry : list(parts, value, key)) {
    const std::optional<double> factor = parse_real(parts.scalar(entry, key).text);
    if (!factor || *factor < kLeastFactor || *factor > 1 / kLeastFactor) {
      parts.fail(entry, key, "must be a number from 1e-6 to 1e6, as 0.5");
    }
    for (const double other : all) {
      const bool is_apart = *factor >= kApart * other || other >= kApart * *factor;
      if (!is_apart) parts.fail(entry, key, "stands there twice, or within 5% of another");
    }
    all.insert(*factor);
  }
  parts.check_count(value, key, all.size(), kMostFactors);
  if (all.size() < kLeastFactors) {
    parts.fail(value, key, "needs three numbers or more, as [0.5, 1, 2], to see a lowest one");
  }
  return {all.begin(), all.end()};
}

std::vector<int64_t> seeds(const SpecParts& parts, const YamlTree& value) {
  const std::string key = kKey + ".seeds";
  std::vector<int64_t> all;
  for (const YamlTree& entry : list(parts, value, key)) {
    const std::optional<int64_t> seed = parse_whole(parts.scalar(entry, key).text);
    if (!seed || *seed < 0) parts.fail(entry, key, "must be a whole number, 0 or more");
    if (std::ranges::find(all, *seed) != all.end()) parts.fail(entry, key, "stands there twice");
    all.push_back(*seed);
  }
  if (all.empty()) parts.fail(value, key, "the list is empty; it needs a seed");
  parts.check_count(value, key, all.size(), kMostSeeds);
  return all;
}

}  // namespace

SourcedText read_condition(const SpecParts& parts, const YamlTree& value, const std::string& key) {
  if (parts.scalar(value, key).text.starts_with('=')) {
    parts.fail(value, key, "is a condition and needs no =, as N <= 1e6");
  }
  return parts.scalar(value, key);
}

HoldOut read_hold_out(const SpecParts& parts, const YamlTree& value) {
  const auto found = parts.members(value, "hold_out", {"where", "register", "test_set"});
  if (!found.contains("where")) {
    parts.fail(value, "hold_out.where", "is missing; which cells, as N > 3e7");
  }
  if (!found.contains("register")) {
    parts.fail(value, "hold_out.register", "is missing; a name for what is predicted, as hero");
  }
  const YamlTree& name = *found.at("register");
  parts.checked_name(name, "hold_out.register");
  HoldOut hold_out{read_condition(parts, *found.at("where"), "hold_out.where"),
                   parts.scalar(name, "hold_out.register"),
                   {}};
  if (const auto test_set = found.find("test_set"); test_set != found.end()) {
    hold_out.test_set = parts.scalar(*test_set->second, "hold_out.test_set");
  }
  return hold_out;
}

RateTuning read_tune(const SpecParts& parts, const YamlTree& value) {
  const auto tuned = parts.members(value, "tune", {"learning_rate"});
  RateTuning tune;
  const YamlTree& rate = *tuned.at("learning_rate");
  const auto found =
      parts.members(rate, kKey, {"where", "factors", "extend_at_edge", "then", "seeds"});
  if (!found.contains("factors")) {
    parts.fail(rate, kKey + ".factors", "is missing; on the cell's own rate, as [0.5, 1, 2]");
  }
  for (const auto& [name, inner] : found) {
    const std::string key = kKey + "." + name;
    if (name == "where") {
      tune.where = read_condition(parts, *inner, key);
    } else if (name == "factors") {
      tune.factors = factors(parts, *inner);
    } else if (name == "seeds") {
      tune.seeds = seeds(parts, *inner);
    } else if (name == "extend_at_edge") {
      const std::optional<int64_t> most = parse_whole(parts.scalar(*inner, key).text);
      if (!most || *most < 0 || *most > kMostExtensions) {
        parts.fail(*inner, key, "must be a whole number from 0 to 20");
      }
      tune.extend_at_edge = *most;
    } else {
      if (parts.scalar(*inner, key).text != "fit_law") parts.fail(*inner, key, "must be fit_law");
      tune.fits_law = true;
    }
  }
  return tune;
}

}  // namespace scalelaw
