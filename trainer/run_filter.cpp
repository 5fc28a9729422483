#include "trainer/run_filter.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kDeepest = 100;
constexpr std::string_view kPunctuation = "()<>=!~\"'";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

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

struct Token {
  enum class Kind { kWord, kQuoted, kOperator, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;
  std::size_t at = 0;

  bool is_word(std::string_view word) const { return kind == Kind::kWord && text == word; }
  bool is_operator(std::string_view op) const { return kind == Kind::kOperator && text == op; }
};

enum class Comparison { kEqual, kUnequal, kLess, kAtMost, kGreater, kAtLeast, kContains };

std::optional<Comparison> comparison_of(const Token& token) {
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
  Parser(const std::string& text, const std::vector<FilterKey>& keys) : text_(text), keys_(keys) {
    advance();
  }

  Node whole() {
    Node node = filter();
    if (next_.kind != Token::Kind::kEnd) fail(next_, "expected `and`, `or` or the end");
    return node;
  }

 private:
  [[noreturn]] void fail(const Token& at, const std::string& rule) const {
    const std::string what = at.kind == Token::Kind::kEnd ? "at its end" : "at " + escaped(at.text);
    throw ConfigError("--where " + escaped(text_) + ": character " + std::to_string(at.at + 1) +
                      ", " + what + ": " + rule);
  }

  void advance() {
    while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
    next_ = {Token::Kind::kEnd, "", position_};
    if (position_ == text_.size()) return;
    const char first = text_[position_];
    if (first == '"' || first == '\'') return read_quoted(first);
    std::size_t end = position_ + 1;
    if (kPunctuation.find(first) == std::string_view::npos) {
      next_.kind = Token::Kind::kWord;
      const auto in_word = [](char c) {
        return !is_blank(c) && kPunctuation.find(c) == std::string_view::npos;
      };
      while (end < text_.size() && in_word(text_[end])) ++end;
    } else {
      next_.kind = Token::Kind::kOperator;
      const bool may_be_longer = std::string_view("<>=!").find(first) != std::string_view::npos;
      if (may_be_longer && end < text_.size() && text_[end] == '=') ++end;
    }
    next_.text = text_.substr(position_, end - position_);
    position_ = end;
  }

  void read_quoted(char quote) {
    const std::size_t end = text_.find(quote, position_ + 1);
    next_ = {Token::Kind::kQuoted, text_.substr(position_ + 1, end - position_ - 1), position_};
    if (end == std::string::npos) fail(next_, "this quote is never closed");
    position_ = end + 1;
  }

  Token take() {
    Token token = std::move(next_);
    advance();
    return token;
  }

  Node filter() {
    return chain("or", Node::Kind::kAny, [this] { return conjunction(); });
  }
  Node conjunction() {
    return chain("and", Node::Kind::kAll, [this] { return test(); });
  }

  template <typename Part>
  Node chain(std::string_view word, Node::Kind kind, const Part& part) {
    Node first = part();
    if (!next_.is_word(word)) return first;
    Node node;
    node.kind = kind;
    node.parts.push_back(std::move(first));
    while (next_.is_word(word)) {
      take();
      node.parts.push_back(part());
    }
    return node;
  }

  Node test() {
    if (++depth_ > kDeepest) fail(next_, "is nested deeper than " + std::to_string(kDeepest));
    Node node;
    if (next_.is_word("not")) {
      take();
      node.kind = Node::Kind::kNot;
      node.parts.push_back(test());
    } else if (next_.is_operator("(")) {
      take();
      node = filter();
      if (!next_.is_operator(")")) fail(next_, "expected `and`, `or` or `)`");
      take();
    } else {
      node = comparison();
    }
    --depth_;
    return node;
  }

  Node comparison() {
    if (next_.kind != Token::Kind::kWord) fail(next_, "expected a key, `not` or `(`");
    const Token key_token = take();
    const FilterKey* key = find_key(keys_, key_token.text);
    if (key == nullptr) {
      fail(key_token, "no such key" + or_nearest(key_token.text, names_of(keys_)));
    }
    const std::optional<Comparison> found = comparison_of(next_);
    if (!found) fail(next_, "expected == != < <= > >= or ~ after the key " + key_token.text);
    const Token op = take();
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
    if (next_.kind != Token::Kind::kWord && next_.kind != Token::Kind::kQuoted) {
      fail(next_, "expected a value for " + key.name);
    }
    const Token token = take();
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

  const std::string& text_;
  const std::vector<FilterKey>& keys_;
  std::size_t position_ = 0;
  Token next_;
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
                    or_nearest(name, names_of(keys)));
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
