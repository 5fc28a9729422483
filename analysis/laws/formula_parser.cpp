// Reads a law's text: recursive descent onto the tape.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "analysis/laws/law_formula.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kDeepest = 50;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

class FormulaParser {
  using Op = LawFormula::Op;

 public:
  FormulaParser(LawFormula& law, std::span<const std::string> columns)
      : law_(law), text_(law.text_), known_columns_(columns) {}

  void whole() {
    std::string defined = read_response();
    int node = statement();
    while (take(';')) {
      if (defined.empty()) {
        throw FormulaFault("a part before the ; needs its name and =", at_ - 1);
      }
      parts_.emplace(defined, node);
      defined = read_response();
      node = statement();
    }
    if (at_ < text_.size()) fail("unexpected " + character());
    if (!defined.empty()) law_.response_ = defined;
    const auto own = std::find(law_.columns_.begin(), law_.columns_.end(), law_.response_);
    if (own != law_.columns_.end()) {
      throw FormulaFault(law_.response_ + " is what the law gives and cannot stand in it",
                         text_.find(law_.response_));
    }
    if (node + 1 != static_cast<int>(law_.tape_.size())) {  // the law is a part's name alone
      law_.tape_.push_back(law_.tape_[static_cast<std::size_t>(node)]);
    }
    if (law_.constants_.empty()) throw FormulaFault("there is no constant to find", text_.size());
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    if (at_ >= text_.size()) throw FormulaFault("it ends too early", text_.size());
    throw FormulaFault(what, at_);
  }
  char peek() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (peek() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  // The one that begins here, all its bytes.
  std::string character() const {
    std::size_t end = at_ + 1;
    while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
    return text_.substr(at_, end - at_);
  }
  std::string name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // "lr =", before the next ; or the end: "" where there is none.
  std::string read_response() {
    const std::size_t equals = text_.find('=', at_);
    if (equals == std::string::npos || text_.find(';', at_) < equals) return "";
    if (!is_letter(peek())) fail("unexpected " + character());
    const std::size_t begin = at_;
    std::string word = name();
    if (peek() != '=') fail("unexpected " + character() + " before the =");
    take('=');
    if (functions().contains(word) || parts_.contains(word)) {
      throw FormulaFault(word + " is taken", begin);
    }
    return word;
  }
  int statement() {
    if (peek() == '\0') throw FormulaFault("there is no law", text_.size());
    return sum();
  }

  int add(Op op, int a, int b, bool varies, double number = 0) {
    if (law_.tape_.size() >= LawFormula::kMostNodes) {
      throw FormulaFault("it has more than " + std::to_string(LawFormula::kMostNodes) + " parts",
                         at_);
    }
    law_.tape_.push_back({op, a, b, 0, number, varies});
    return static_cast<int>(law_.tape_.size()) - 1;
  }
  bool varies(int node) const { return law_.tape_[static_cast<std::size_t>(node)].varies; }
  int of_two(Op op, int a, int b) { return add(op, a, b, varies(a) || varies(b)); }
  int of_one(Op op, int a) { return add(op, a, a, varies(a)); }

  int sum() {
    if (++depth_ > kDeepest) fail("nested deeper than " + std::to_string(kDeepest));
    int left = product();
    for (;;) {
      if (take('+')) {
        left = of_two(Op::kAdd, left, product());
      } else if (take('-')) {
        left = of_two(Op::kSubtract, left, product());
      } else {
        break;
      }
    }
    --depth_;
    return left;
  }

  int product() {
    int left = sign();
    for (;;) {
      if (take('*')) {
        left = of_two(Op::kMultiply, left, sign());
      } else if (take('/')) {
        left = of_two(Op::kDivide, left, sign());
      } else {
        return left;
      }
    }
  }

  int sign() {
    if (++depth_ > kDeepest) fail("nested deeper than " + std::to_string(kDeepest));
    const bool negative = take('-');
    if (!negative) take('+');
    const bool again = peek() == '-' || peek() == '+';
    const int of = again ? sign() : power();
    --depth_;
    return negative ? of_one(Op::kNegate, of) : of;
  }

  int power() {
    const int base = operand();
    if (!take('^')) return base;
    ++exponents_;
    const int exponent = sign();
    --exponents_;
    return of_two(Op::kPower, base, exponent);
  }

  int operand() {
    const char c = peek();
    if (take('(')) {
      const int inside = sum();
      if (!take(')')) fail("unexpected " + character() + ", a ) is missing");
      return inside;
    }
    if (is_digit(c) || c == '.') return number();
    if (is_letter(c)) return named();
    fail("unexpected " + character());
  }

  int number() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      std::size_t digits = at_ + 1;
      if (digits < text_.size() && (text_[digits] == '+' || text_[digits] == '-')) ++digits;
      if (digits < text_.size() && is_digit(text_[digits])) at_ = digits;
    }
    name();  // letters behind it belong to it: 2.5M, and 6N, which is none
    const std::string written = text_.substr(begin, at_ - begin);
    const std::optional<double> read = parse_real(written);
    if (!read) throw FormulaFault(written + " is no number (6N is written 6*N)", begin);
    return add(Op::kNumber, 0, 0, false, *read);
  }

  int named() {
    const std::size_t begin = at_;
    const std::string word = name();
    if (peek() == '(') return call(word, begin);
    if (word == "log") {
      throw FormulaFault("log is two things to people: write ln, log2 or log10", begin);
    }
    if (functions().contains(word)) {
      throw FormulaFault(word + " is a function and needs its ( )", begin);
    }
    if (const auto part = parts_.find(word); part != parts_.end()) return part->second;
    const bool column =
        std::find(known_columns_.begin(), known_columns_.end(), word) != known_columns_.end();
    std::vector<std::string>& names = column ? law_.columns_ : law_.constants_;
    std::size_t index =
        static_cast<std::size_t>(std::find(names.begin(), names.end(), word) - names.begin());
    if (index == names.size()) {
      if (index == LawFormula::kMostNames) {
        throw FormulaFault("more than " + std::to_string(LawFormula::kMostNames) +
                               (column ? " columns" : " constants"),
                           begin);
      }
      names.push_back(word);
      if (!column) law_.in_exponent_.push_back(false);
    }
    if (!column && exponents_ > 0) law_.in_exponent_[index] = true;
    const int node = add(column ? Op::kColumn : Op::kConstant, 0, 0, !column);
    law_.tape_.back().index = static_cast<int>(index);
    return node;
  }

  static const std::map<std::string, Op>& functions() {
    static const std::map<std::string, Op> all = {
        {"exp", Op::kExp},   {"ln", Op::kLn},     {"log2", Op::kLog2}, {"log10", Op::kLog10},
        {"sqrt", Op::kSqrt}, {"tanh", Op::kTanh}, {"min", Op::kMin},   {"max", Op::kMax}};
    return all;
  }

  int call(const std::string& word, std::size_t begin) {
    if (word == "log") {
      throw FormulaFault("log is two things to people: write ln, log2 or log10", begin);
    }
    const auto function = functions().find(word);
    if (function == functions().end()) {
      throw FormulaFault("there is no function " + word + " (a product needs its *)", begin);
    }
    take('(');
    const bool of_power = function->second == Op::kExp;
    exponents_ += of_power ? 1 : 0;
    int first = sum();
    const bool two = function->second == Op::kMin || function->second == Op::kMax;
    if (two && peek() != ',') fail(word + " takes two values");
    while (two && take(',')) first = of_two(function->second, first, sum());
    exponents_ -= of_power ? 1 : 0;
    if (!take(')')) fail("unexpected " + character() + ", a ) is missing");
    return two ? first : of_one(function->second, first);
  }

  LawFormula& law_;
  const std::string& text_;
  std::span<const std::string> known_columns_;
  std::map<std::string, int> parts_;  // by name, their node
  std::size_t at_ = 0;
  int depth_ = 0, exponents_ = 0;
};

LawFormula::LawFormula(std::string text, std::span<const std::string> columns)
    : text_(std::move(text)) {
  if (text_.size() > kMostBytes) {
    throw FormulaFault("longer than " + std::to_string(kMostBytes) + " bytes", kMostBytes);
  }
  FormulaParser(*this, columns).whole();
}

}  // namespace scalelaw
