// The value of a LawFormula with all first and second derivatives in its constants, as one list of
// operations in which nothing stands twice: found once by the rules of differentiation, computed
// for many rows by analysis/fitting/formula_rows.h.
//
// a^b is written exp(b ln a) where b is no number: ln a of a column is then computed once for all
// searches, and a power costs one exp. Where a is below 0 that is no number, though the formula
// may have a value there: whoever computes it asks the formula itself then.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "analysis/laws/law_formula.h"

namespace scalelaw {

class FormulaDerivatives {
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
    kSqrt,
    kTanh,
    kMin,
    kMax,
    kAtMost
  };  // kAtMost: a <= b, 1 or 0
  struct Node {
    Op op = Op::kNumber;
    int a = 0, b = 0;  // operands, earlier in the list; of a column or constant a is its index
    double number = 0;
    bool by_row = false, by_constant = false;  // what it varies with
    auto operator<=>(const Node&) const = default;
  };
  static constexpr std::size_t kMostNodes = 2000;

  // nullopt where there would be more than kMostNodes.
  static std::optional<FormulaDerivatives> of(const LawFormula& formula);

  const std::vector<Node>& nodes() const { return nodes_; }
  int value() const { return value_; }
  // Of constant k, and of k and j; nodes. A derivative that is 0 everywhere is the number 0.
  int first(std::size_t k) const { return first_[k]; }
  int second(std::size_t k, std::size_t j) const { return second_[k * first_.size() + j]; }
  bool is_zero(int node) const { return is(node, 0); }

 private:
  class TooMany {};
  int add(Node node);
  int number(double value) { return add({.op = Op::kNumber, .number = value}); }
  int two(Op op, int a, int b);
  int one(Op op, int a);
  int sum(int a, int b);
  int difference(int a, int b);
  int product(int a, int b);
  int quotient(int a, int b);
  int negative(int a);
  int power(int a, int b);
  int derivative(int node, std::size_t constant);
  int derivative_of_operands(const Node& of, int node, std::size_t constant);
  void take(const LawFormula& formula);
  bool is(int node, double value) const {
    const Node& at = nodes_[static_cast<std::size_t>(node)];
    return at.op == Op::kNumber && at.number == value;
  }
  bool is_number(int node) const {
    return nodes_[static_cast<std::size_t>(node)].op == Op::kNumber;
  }
  double of_number(int node) const { return nodes_[static_cast<std::size_t>(node)].number; }

  std::vector<Node> nodes_;
  std::map<Node, int> known_;
  std::map<std::pair<int, std::size_t>, int> derived_;
  int value_ = 0;
  std::vector<int> first_, second_;
};

}  // namespace scalelaw
