#include "analysis/budget/question_words.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>

#include "analysis/budget/devices.h"
#include "analysis/budget/question.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr std::size_t kLongestQuestion = 1000;

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::optional<double> scale_of(const std::string& word) {
  static const std::map<std::string, double> scales = {
      {"k", 1e3},   {"thousand", 1e3},    {"m", 1e6},         {"mn", 1e6},
      {"mln", 1e6}, {"million", 1e6},     {"millions", 1e6},  {"b", 1e9},
      {"bn", 1e9},  {"g", 1e9},           {"billion", 1e9},   {"billions", 1e9},
      {"t", 1e12},  {"tn", 1e12},         {"trillion", 1e12}, {"trillions", 1e12},
      {"p", 1e15},  {"quadrillion", 1e15}};
  const auto found = scales.find(word);
  return found == scales.end() ? std::nullopt : std::optional(found->second);
}

std::optional<double> counting_word(const std::string& word) {
  static const std::map<std::string, double> counts = {
      {"one", 1},   {"two", 2},   {"three", 3}, {"four", 4}, {"five", 5},    {"six", 6},
      {"seven", 7}, {"eight", 8}, {"nine", 9},  {"ten", 10}, {"twelve", 12}, {"hundred", 100}};
  const auto found = counts.find(word);
  return found == counts.end() ? std::nullopt : std::optional(found->second);
}

// Characters of a number from `at` on: digits, groups of three after commas, a fraction, an
// exponent.
std::size_t number_end(const std::string& text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && is_digit(text[end])) ++end;
  while (end + 1 < text.size() && (text[end] == ',' || text[end] == '_') &&
         is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
    ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < text.size() && (text[digits] == '+' || text[digits] == '-')) ++digits;
    if (digits < text.size() && is_digit(text[digits])) {
      while (digits < text.size() && is_digit(text[digits])) ++digits;
      end = digits;
    }
  }
  return end;
}

double number_value(const std::string& text) {
  std::string digits;
  const std::size_t whole = std::min(text.find_first_of(".eE"), text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',' && text[i] != '_') {
      digits += text[i];
      continue;
    }
    // "1,5" is no thousands; nobody shall get 15 for it.
    const std::size_t next = std::min(text.find_first_of(",_", i + 1), whole);
    if (i > whole || next - i != 4) {
      throw ConfigError(text + ": a comma parts thousands (1,000); a fraction is written 1.5");
    }
  }
  const std::optional<double> value = parse_real(digits);
  if (!value) throw ConfigError(text + ": is too large a number");
  return *value;
}

// What ends words and stands for nothing.
bool is_blank(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0 ||
         std::string_view(":;?!()\"'=~").find(c) != std::string_view::npos;
}

// Typographic signs that people paste, as ASCII.
std::string plain_signs(std::string text) {
  static const std::array<std::pair<std::string, std::string>, 9> signs = {{
      {"\xc3\x97", "x"},         // multiplication sign
      {"\xe2\x86\x92", " to "},  // arrow
      {"->", " to "},
      {"/s-day", "s-day"},       // petaflop/s-days
      {"\xe2\x80\x93", " to "},  // en dash
      {"\xc2\xa0", " "},         // no-break space
      {"\xe2\x80\xaf", " "},     // narrow no-break space
      {"\xe2\x80\x99", " "},     // apostrophe
      {"\xe2\x89\x88", " "},     // almost equal
  }};
  for (const auto& [sign, plain] : signs) {
    for (std::size_t at = text.find(sign); at != std::string::npos; at = text.find(sign, at)) {
      text.replace(at, sign.size(), plain);
      at += plain.size();
    }
  }
  return text;
}

class Reader {
 public:
  explicit Reader(std::string text) : text_(std::move(text)) {}

  std::vector<QuestionWord> read() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c) || ((c == ',' || c == '.' || c == '*') && !starts_fraction())) {
        ++at_;
      } else if (is_digit(c) || c == '.') {
        read_number();
      } else if (is_letter(c)) {
        read_word();
      } else {
        throw ConfigError(escaped(text_.substr(at_, 1)) + ": no sign of a question, in \"" +
                          excerpt(text_) + "\"; " + what_is_understood());
      }
    }
    return std::move(words_);
  }

 private:
  bool starts_fraction() const {
    return text_[at_] == '.' && at_ + 1 < text_.size() && is_digit(text_[at_ + 1]);
  }

  void read_number() {
    const std::size_t end = text_[at_] == '.' ? number_end(text_, at_ + 1) : number_end(text_, at_);
    const std::string digits = text_.substr(at_, end - at_);
    words_.push_back({digits, "", number_value(digits), false});
    at_ = end;
    if (at_ >= text_.size() || !is_letter(text_[at_])) return;
    const std::string attached = letters_from(at_);
    if (attached.size() > 1 && (attached[0] == 'x' || attached[0] == 'X') &&
        training_device(attached.substr(1)) != nullptr) {
      ++at_;  // 100xA100
    }
  }

  std::string letters_from(std::size_t from) const {
    std::size_t end = from;
    while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]) ||
                                  text_[end] == '-' || text_[end] == '_')) {
      ++end;
    }
    while (end > from && text_[end - 1] == '-') --end;
    return text_.substr(from, end - from);
  }

  void read_word() {
    const std::string word = letters_from(at_);
    at_ += word.size();
    const std::string lower = lower_case(word);
    QuestionWord* before = words_.empty() ? nullptr : &words_.back();
    const bool after_number = before != nullptr && before->number.has_value();
    if (const auto scale = scale_of(lower); scale && after_number && !before->scaled) {
      before->number = *before->number * *scale;
      before->text += (lower.size() > 1 ? " " : "") + word;
      before->scaled = true;
      return;
    }
    if (const auto count = counting_word(lower)) {
      words_.push_back({word, "", count, false});
      return;
    }
    words_.push_back({word, lower, std::nullopt, false});
  }

  std::string text_;
  std::size_t at_ = 0;
  std::vector<QuestionWord> words_;
};

}  // namespace

std::vector<QuestionWord> question_words(const std::vector<std::string>& arguments) {
  std::string text;
  for (const std::string& argument : arguments) text += argument + " ";
  if (text.size() > kLongestQuestion) {
    throw ConfigError("the question has more than " + std::to_string(kLongestQuestion) +
                      " characters; " + what_is_understood());
  }
  return Reader(plain_signs(std::move(text))).read();
}

std::optional<double> seconds_in(std::string_view unit) {
  static const std::map<std::string, double, std::less<>> units = {
      {"s", 1},
      {"sec", 1},
      {"secs", 1},
      {"second", 1},
      {"seconds", 1},
      {"min", 60},
      {"mins", 60},
      {"minute", 60},
      {"minutes", 60},
      {"h", 3600},
      {"hr", 3600},
      {"hrs", 3600},
      {"hour", 3600},
      {"hours", 3600},
      {"d", 86400},
      {"day", 86400},
      {"days", 86400},
      {"w", 7 * 86400},
      {"week", 7 * 86400},
      {"weeks", 7 * 86400},
      {"month", kDaysInMonth * 86400},
      {"months", kDaysInMonth * 86400},
      {"quarter", 3 * kDaysInMonth * 86400},
      {"y", kDaysInYear * 86400},
      {"yr", kDaysInYear * 86400},
      {"year", kDaysInYear * 86400},
      {"years", kDaysInYear * 86400}};
  const auto found = units.find(unit);
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

std::string what_is_understood() {
  return "understood are numbers (1,000; 10 B; 1e21) of parameters, tokens, inference tokens, "
         "unique tokens, FLOPs, GPUs by name (" +
         device_names() +
         ") and times (3 d, a month), and loss 2.1; for example: scalelaw budget 100 A100s for a "
         "month";
}

}  // namespace scalelaw
