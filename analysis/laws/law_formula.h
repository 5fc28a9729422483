// A law as text, "E + A*N^-alpha + B*D^-beta", and its value with the exact gradient in its
// constants: the text that is printed is what is computed.
//
// + - * / ^ (right-associative, above a sign: -2^2 is -4), brackets, exp ln log2 log10 sqrt tanh
// min max. Numbers as everywhere (trainer/number.h). Names are letters, digits and '_'. `log` is
// refused, since people mean two things by it. "lr = c*N^a" names what the law gives; without a
// name it is the loss, L. "G = A/B; L = E + G*N^-a" names a part first. The tree is kept as a tape:
// operands before what uses them, so that one pass forward gives the value and one backward
// (reverse-mode differentiation) the gradient.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace scalelaw {

// What is wrong, "unexpected )", and at which byte of the text, from 0; its length where something
// is missing at the end.
class FormulaFault : public std::runtime_error {
 public:
  FormulaFault(const std::string& what, std::size_t position)
      : std::runtime_error(what), position_(position) {}
  std::size_t position() const { return position_; }

 private:
  std::size_t position_;
};

class LawFormula {
 public:
  enum class Op {
    kNumber,
    kColumn,
    kConstant,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kPower,
    kNegate,
    kExp,
    kLn,
    kLog2,
    kLog10,
    kSqrt,
    kTanh,
    kMin,
    kMax
  };
  struct Node {
    Op op = Op::kNumber;
    int a = 0, b = 0;  // operands, earlier on the tape
    int index = 0;     // of a column or constant
    double number = 0;
    bool varies = false;  // with some constant
  };
  static constexpr std::size_t kMostBytes = 1000, kMostNodes = 200, kMostNames = 16;

  // FormulaFault. A name in `columns` is data, any other a constant to be found.
  LawFormula(std::string text, std::span<const std::string> columns);

  const std::string& text() const { return text_; }
  const std::string& response() const { return response_; }                 // "L", "lr"
  const std::vector<std::string>& columns() const { return columns_; }      // that stand in it
  const std::vector<std::string>& constants() const { return constants_; }  // in its order
  // The constant stands in an exponent: right of a ^, or within exp().
  bool is_exponent(std::size_t constant) const { return in_exponent_[constant]; }

  // `constants` and `row` in the order of constants() and columns(). With `gradient` (length of
  // constants()) the derivatives too. NaN or infinite where the text has no value there.
  double value(const double* constants, const double* row, double* gradient = nullptr) const;

  // Operands before what uses them; the last is the law.
  const std::vector<Node>& tape() const { return tape_; }

 private:
  friend class FormulaParser;
  void go_back(const double* values, double* gradient) const;

  std::string text_, response_ = "L";
  std::vector<std::string> columns_, constants_;
  std::vector<bool> in_exponent_;
  std::vector<Node> tape_;
};

// "character 5", counted from 1; "its end".
std::string formula_place(std::string_view text, std::size_t position);

}  // namespace scalelaw
