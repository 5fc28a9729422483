#include "sweeps/language/expression_value_fault.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <vector>

namespace scalelaw {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '%';
}

// What may have no value of its own though all within it has.
struct Part {
  std::size_t begin = 0, end = 0;  // of the text
  std::size_t at = 0;              // what is pointed at
  bool is_divisor = false;         // else a power or a call
};

class Parts {
 public:
  explicit Parts(const std::string& text) : text_(text) {}

  std::vector<Part> all() const {
    std::vector<Part> parts;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '/') parts.push_back({next(i + 1), factor_end(i + 1), i, true});
      if (c == '^') parts.push_back({operand_begin(i), factor_end(i + 1), i, false});
      if (c != '(') continue;
      const std::size_t begin = word_begin(i);
      if (begin < i) parts.push_back({begin, bracket_end(i), begin, false});
    }
    return parts;
  }

 private:
  std::size_t next(std::size_t i) const {
    while (i < text_.size() && is_blank(text_[i])) ++i;
    return i;
  }
  // Behind the ) of the ( at `i`.
  std::size_t bracket_end(std::size_t i) const {
    int open = 0;
    for (; i < text_.size(); ++i) {
      if (text_[i] == '(') ++open;
      if (text_[i] == ')' && --open == 0) return i + 1;
    }
    return text_.size();
  }
  std::size_t word_end(std::size_t i) const {
    for (; i < text_.size(); ++i) {
      const bool is_exponents_sign = (text_[i] == '+' || text_[i] == '-') && i > 1 &&
                                     std::tolower(text_[i - 1]) == 'e' &&
                                     std::isdigit(static_cast<unsigned char>(text_[i - 2])) != 0;
      if (!is_word(text_[i]) && !is_exponents_sign) break;
    }
    return i;
  }
  // Where the word before the ( at `i` begins; `i` where none stands there.
  std::size_t word_begin(std::size_t i) const {
    std::size_t end = i;
    while (end > 0 && is_blank(text_[end - 1])) --end;
    std::size_t begin = end;
    while (begin > 0 && is_word(text_[begin - 1])) --begin;
    return begin == end ? i : begin;
  }
  // Signs, a number, a name, a call or a bracket, and powers of it.
  std::size_t factor_end(std::size_t i) const {
    i = next(i);
    while (i < text_.size() && (text_[i] == '-' || text_[i] == '+')) i = next(i + 1);
    i = word_end(i);
    if (const std::size_t bracket = next(i); bracket < text_.size() && text_[bracket] == '(') {
      i = bracket_end(bracket);
    }
    const std::size_t power = next(i);
    return power < text_.size() && text_[power] == '^' ? factor_end(power + 1) : i;
  }
  // Of what the ^ at `i` raises.
  std::size_t operand_begin(std::size_t i) const {
    while (i > 0 && is_blank(text_[i - 1])) --i;
    if (i == 0 || text_[i - 1] != ')') return word_begin(i);
    int open = 0;
    while (i > 0) {
      --i;
      if (text_[i] == ')') ++open;
      if (text_[i] == '(' && --open == 0) break;
    }
    return word_begin(i);
  }

  const std::string& text_;
};

// With 1 for each of the parts but `kept`.
std::string without(const std::string& text, const std::vector<Part>& parts, const Part* kept) {
  std::string result = text;
  for (const Part& part : parts) {
    if (&part == kept) continue;
    result.replace(part.begin, part.end - part.begin, part.end - part.begin, ' ');
    result[part.begin] = '1';
  }
  return result;
}

}  // namespace

ExpressionFault value_fault(const std::string& text,
                            const std::function<double(const std::string&)>& value) {
  const auto written = [&](const Part& part) {
    return text.substr(part.begin, part.end - part.begin);
  };
  std::vector<Part> faulty;
  for (const Part& part : Parts(text).all()) {
    const double of_part = value(written(part));
    if (part.is_divisor ? of_part == 0 : !std::isfinite(of_part)) faulty.push_back(part);
  }
  // What holds another one only passes on what that one is.
  const std::vector<Part> all = faulty;
  std::erase_if(faulty, [&](const Part& part) {
    return std::ranges::any_of(all, [&](const Part& other) {
      const bool is_within = other.begin >= part.begin && other.end <= part.end;
      return is_within && other.end - other.begin < part.end - part.begin;
    });
  });
  for (const Part& part : faulty) {
    // A branch that is not taken has no say.
    if (std::isfinite(value(without(text, faulty, &part)))) continue;
    return {part.is_divisor ? "divides by 0" : written(part) + " is no finite number", part.at};
  }
  const std::size_t first = text.find_first_not_of(" \t");
  return {"comes to no finite number", first == std::string::npos ? 0 : first};
}

}  // namespace scalelaw
