#include "trainer/filter_tokens.h"

#include <utility>

#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

constexpr std::string_view kPunctuation = "()<>=!~\"'";

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

void FilterTokens::fail(const FilterToken& at, const std::string& rule) const {
  const std::string what =
      at.kind == FilterToken::Kind::kEnd ? "at its end" : "at " + escaped(at.text);
  throw ConfigError("--where " + escaped(text_) + ": character " + std::to_string(at.at + 1) +
                    ", " + what + ": " + rule);
}

void FilterTokens::advance() {
  while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  next_ = {FilterToken::Kind::kEnd, "", position_};
  if (position_ == text_.size()) return;
  const char first = text_[position_];
  if (first == '"' || first == '\'') return read_quoted(first);
  std::size_t end = position_ + 1;
  if (kPunctuation.find(first) == std::string_view::npos) {
    next_.kind = FilterToken::Kind::kWord;
    const auto in_word = [](char c) {
      return !is_blank(c) && kPunctuation.find(c) == std::string_view::npos;
    };
    while (end < text_.size() && in_word(text_[end])) ++end;
  } else {
    next_.kind = FilterToken::Kind::kOperator;
    const bool may_be_longer = std::string_view("<>=!").find(first) != std::string_view::npos;
    if (may_be_longer && end < text_.size() && text_[end] == '=') ++end;
  }
  next_.text = text_.substr(position_, end - position_);
  position_ = end;
}

void FilterTokens::read_quoted(char quote) {
  const std::size_t end = text_.find(quote, position_ + 1);
  next_ = {FilterToken::Kind::kQuoted, text_.substr(position_ + 1, end - position_ - 1), position_};
  if (end == std::string::npos) fail(next_, "this quote is never closed");
  position_ = end + 1;
}

FilterToken FilterTokens::take() {
  FilterToken token = std::move(next_);
  advance();
  return token;
}

}  // namespace scalelaw
