// Words and numbers of a question, before they mean anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

struct QuestionWord {
  std::string text;              // as written, for messages
  std::string lower;             // a word: lower case, without what ends a sentence
  std::optional<double> number;  // a number: its value, with its k, M, B, "billion" taken in
  bool scaled = false;           // it had one of those
};

// "100xA100", "10B", "1,000" and "A100-80GB" come apart as people mean them. ConfigError: a number
// that cannot be read, a character that no question has.
std::vector<QuestionWord> question_words(const std::vector<std::string>& arguments);

std::optional<double> seconds_in(std::string_view unit);  // "h", "days", "month"; nullopt: no unit

// What may be asked, and examples: what every message ends with.
std::string what_is_understood();

}  // namespace scalelaw
