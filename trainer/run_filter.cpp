#include "trainer/run_filter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/filter_tokens.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kDeepest = 100;

bool fits(std::string_view pattern, std::string_view name) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const std::string_view before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return name.size() > before.size() + after.size() && name.starts_with(before) &&
         name.ends_with(after);
}

std::vector<std::string> names_of(const std::vector<FilterKey>& keys) {
  std::vector<std::string> names;
  for (const FilterKey& key : keys) names.push_back(key.name);
  return names;
}

std::string or_nearest(const std::string& text, const std::vector<std::string>& known) {
  const std::string near = nearest(text, known);
  return near.empty() ? "" : "; did you mean " + near + "?";
}

enum class Comparison { kEqual, kUnequal, kLess, kAtMost, kGreater, kAtLeast, kContains };

std::optional<Comparison> comparison_of(const FilterToken& token) {
  static const std::vector<std::pair<std::string_view, Comparison>> kAll = {
      {"==", Comparison::kEqual},   {"!=", Comparison::kUnequal}, {"<", Comparison::kLess},
      {"<=", Comparison::kAtMost},  {">", Comparison::kGreater},  {">=", Comparison::kAtLeast},
      {"~", Comparison::kContains},
  };
  for (const auto& [text, comparison] : kAll) {
    if (token.is_operator(text)) return comparison;
  }
  return std::nullopt;
}

bool is_order(Comparison comparison) {
  return comparison == Comparison::kLess || comparison == Comparison::kAtMost ||
         comparison == Comparison::kGreater || comparison == Comparison::kAtLeast;
}

template <typename T>
bool ordered(const T& a, Comparison comparison, const T& b) {
  switch (comparison) {
    case Comparison::kEqual:
      return a == b;
    case Comparison::kUnequal:
      return !(a == b);
    case Comparison::kLess:
      return a < b;
    case Comparison::kAtMost:
      return a <= b;
    case Comparison::kGreater:
      return a > b;
    case Comparison::kAtLeast:
      return a >= b;
    case Comparison::kContains:
      break;
  }
  if constexpr (std::is_same_v<T, std::string>) return a.find(b) != std::string::npos;
  return false;
}

bool compares(const Fact& fact, Comparison comparison, const Fact& value) {
  if (const auto* number = std::get_if<double>(&fact)) {
    return ordered(*number, comparison, std::get<double>(value));
  }
  const auto& text = std::get<std::string>(value);
  if (const auto* own = std::get_if<std::string>(&fact)) return ordered(*own, comparison, text);
  const auto& list = std::get<std::vector<std::string>>(fact);
  const bool negated = comparison == Comparison::kUnequal;
  const bool found = std::ranges::any_of(list, [&](const std::string& element) {
    return ordered(element, negated ? Comparison::kEqual : comparison, text);
  });
  return found != negated;
}

bool is_there(const Fact* fact) {
  if (fact == nullptr) return false;
  const auto* number = std::get_if<double>(fact);
  return number == nullptr || !std::isnan(*number);
}

}  // namespace

struct RunFilter::Node {
  enum class Kind { kAll, kAny, kNot, kCompare };
  Kind kind = Kind::kCompare;
  std::vector<Node> parts;
  std::string key;
  Comparison comparison = Comparison::kEqual;
  std::optional<Fact> value;  // nullopt: none
};

class RunFilter::Parser {
 public:
  Parser(const std::string& text, const std::vector<FilterKey>& keys)
      : tokens_(text), keys_(keys) {}

  Node whole() {
    Node node = filter();
    if (next().kind != FilterToken::Kind::kEnd) fail(next(), "expected `and`, `or` or the end");
    return node;
  }

 private:
  [[noreturn]] void fail(const FilterToken& at, const std::string& rule) const {
    tokens_.fail(at, rule);
  }
  const FilterToken& next() const { return tokens_.next(); }

  Node filter() {
    return chain("or", Node::Kind::kAny, [this] { return conjunction(); });
  }
  Node conjunction() {
    return chain("and", Node::Kind::kAll, [this] { return test(); });
  }

  template <typename Part>
  Node chain(std::string_view word, Node::Kind kind, const Part& part) {
    Node first = part();
    if (!next().is_word(word)) return first;
    Node node;
    node.kind = kind;
    node.parts.push_back(std::move(first));
    while (next().is_word(word)) {
      tokens_.take();
      node.parts.push_back(part());
    }
    return node;
  }

  Node test() {
    if (++depth_ > kDeepest) fail(next(), "is nested deeper than " + std::to_string(kDeepest));
    Node node;
    if (next().is_word("not")) {
      tokens_.take();
      node.kind = Node::Kind::kNot;
      node.parts.push_back(test());
    } else if (next().is_operator("(")) {
      tokens_.take();
      node = filter();
      if (!next().is_operator(")")) fail(next(), "expected `and`, `or` or `)`");
      tokens_.take();
    } else {
      node = comparison();
    }
    --depth_;
    return node;
  }

  Node comparison() {
    if (next().kind != FilterToken::Kind::kWord) fail(next(), "expected a key, `not` or `(`");
    const FilterToken key_token = tokens_.take();
    const FilterKey* key = find_key(keys_, key_token.text);
    if (key == nullptr) {
      fail(key_token, "no such key" + nearest_or_all(key_token.text, names_of(keys_)));
    }
    const std::optional<Comparison> found = comparison_of(next());
    if (!found) fail(next(), "expected == != < <= > >= or ~ after the key " + key_token.text);
    const FilterToken op = tokens_.take();
    if (is_order(*found) && key->kind == FactKind::kList) {
      fail(op, key->name + " is a list, which takes == != and ~ alone");
    }
    if (*found == Comparison::kContains && key->kind == FactKind::kNumber) {
      fail(op, key->name + " is a number, which contains no text");
    }
    Node node;
    node.key = key_token.text;
    node.comparison = *found;
    node.value = value_for(*key, *found);
    return node;
  }

  std::optional<Fact> value_for(const FilterKey& key, Comparison comparison) {
    if (next().kind != FilterToken::Kind::kWord && next().kind != FilterToken::Kind::kQuoted) {
      fail(next(), "expected a value for " + key.name);
    }
    const FilterToken token = tokens_.take();
    if (token.is_word("none")) {
      if (comparison != Comparison::kEqual && comparison != Comparison::kUnequal) {
        fail(token, "none takes == and != alone");
      }
      return std::nullopt;
    }
    if (key.kind == FactKind::kNumber) {
      const std::optional<double> number = parse_real(token.text);
      if (!number) fail(token, key.name + " is a number (0.01, 1e6, 20M, 2Mi)");
      return *number;
    }
    const bool whole = comparison == Comparison::kEqual || comparison == Comparison::kUnequal;
    if (whole && !key.choices.empty() &&
        std::ranges::find(key.choices, token.text) == key.choices.end()) {
      std::string all;
      for (const std::string& choice : key.choices) all += (all.empty() ? "" : ", ") + choice;
      fail(token, key.name + " is one of " + all + or_nearest(token.text, key.choices));
    }
    return token.text;
  }

  FilterTokens tokens_;
  const std::vector<FilterKey>& keys_;
  int depth_ = 0;
};

const FilterKey* find_key(const std::vector<FilterKey>& keys, const std::string& name) {
  const auto found =
      std::ranges::find_if(keys, [&](const FilterKey& key) { return fits(key.name, name); });
  return found == keys.end() ? nullptr : &*found;
}

const FilterKey& key_named(const std::vector<FilterKey>& keys, const std::string& option,
                           const std::string& name) {
  if (const FilterKey* key = find_key(keys, name)) return *key;
  throw ConfigError(option + " " + escaped(name) + ": no such key" +
                    nearest_or_all(name, names_of(keys)));
}

RunFilter::RunFilter(const std::string& text, const std::vector<FilterKey>& keys)
    : root_(std::make_shared<Node>(Parser(text, keys).whole())) {}

bool RunFilter::holds(const Node& node,
                      const std::function<const Fact*(const std::string& key)>& fact_of) {
  const auto part_holds = [&](const Node& part) { return holds(part, fact_of); };
  switch (node.kind) {
    case Node::Kind::kAll:
      return std::ranges::all_of(node.parts, part_holds);
    case Node::Kind::kAny:
      return std::ranges::any_of(node.parts, part_holds);
    case Node::Kind::kNot:
      return !part_holds(node.parts.front());
    case Node::Kind::kCompare:
      break;
  }
  const Fact* fact = fact_of(node.key);
  const bool there = is_there(fact);
  if (!node.value) return there == (node.comparison == Comparison::kUnequal);
  if (!there) return node.comparison == Comparison::kUnequal;
  return compares(*fact, node.comparison, *node.value);
}

bool RunFilter::matches(const std::function<const Fact*(const std::string& key)>& fact_of) const {
  return root_ == nullptr || holds(*root_, fact_of);
}

}  // namespace scalelaw
