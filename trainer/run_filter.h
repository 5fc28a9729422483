// Filters over runs: what every --where reads.
//
//   model.arch == lstm and N > 1e6 and not (state == diverged or name ~ i2d2)
//
//   filter      = conjunction {"or" conjunction}
//   conjunction = test {"and" test}
//   test        = "not" test | "(" filter ")" | KEY OPERATOR VALUE
//   OPERATOR    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "~" (the text contains)
//   VALUE       = a number as in a configuration (1e6, 20M, 2%) | a word | "text" or 'text'
//                 | none (the run has no such value)
//
// A run without the key's value is unequal to every value, and neither less nor greater. A list
// equals a value, or contains it, when one of its elements does.
//
// Not muParser, which compares numbers alone and assigns where `=` is written for `==`, nor
// muparserX, which up to 4.0.11 confuses text that begins with "or" with the operator: here a key
// knows its kind, and a wrong value is refused before any run is read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace scalelaw {

// What is known of a run under one key.
using Fact = std::variant<double, std::string, std::vector<std::string>>;

enum class FactKind { kNumber, kText, kList };

struct FilterKey {
  std::string name;  // one "*" stands for any text: "test.*.loss_nats"
  FactKind kind = FactKind::kNumber;
  std::vector<std::string> choices = {};  // of a text; empty: any
};
// The key of that name, or nullptr.
const FilterKey* find_key(const std::vector<FilterKey>& keys, const std::string& name);
// find_key, or ConfigError with the nearest name, for an option that names a key (--sort).
const FilterKey& key_named(const std::vector<FilterKey>& keys, const std::string& option,
                           const std::string& name);

class RunFilter {
 public:
  RunFilter() = default;  // lets every run pass
  // ConfigError names the character, what stands there and what was expected; for an unknown key
  // the nearest one, for a value of the wrong kind what the key takes.
  RunFilter(const std::string& text, const std::vector<FilterKey>& keys);

  // `fact_of` gives a run's value under a key, or nullptr.
  bool matches(const std::function<const Fact*(const std::string& key)>& fact_of) const;

 private:
  struct Node;
  class Parser;
  static bool holds(const Node& node,
                    const std::function<const Fact*(const std::string& key)>& fact_of);
  std::shared_ptr<const Node> root_;
};

}  // namespace scalelaw
