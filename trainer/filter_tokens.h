// A filter's text (trainer/run_filter.h) in its words, quoted texts and operators.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace scalelaw {

struct FilterToken {
  enum class Kind { kWord, kQuoted, kOperator, kEnd };
  Kind kind = Kind::kEnd;
  std::string text;    // of a quoted one without its quotes
  std::size_t at = 0;  // its first character's place

  bool is_word(std::string_view word) const { return kind == Kind::kWord && text == word; }
  bool is_operator(std::string_view op) const { return kind == Kind::kOperator && text == op; }
};

// One after another, with one in view. ConfigError for a quote that is never closed.
class FilterTokens {
 public:
  // `text` outlives it.
  explicit FilterTokens(const std::string& text) : text_(text) { advance(); }

  const FilterToken& next() const { return next_; }
  FilterToken take();
  // ConfigError with the text, the character, what stands there and the rule.
  [[noreturn]] void fail(const FilterToken& at, const std::string& rule) const;

 private:
  void advance();
  void read_quoted(char quote);

  const std::string& text_;
  std::size_t position_ = 0;
  FilterToken next_;
};

}  // namespace scalelaw
