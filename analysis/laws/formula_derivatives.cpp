#include "analysis/laws/formula_derivatives.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace scalelaw {

int FormulaDerivatives::add(Node node) {
  const auto varies = [&](int at) -> const Node& { return nodes_[static_cast<std::size_t>(at)]; };
  switch (node.op) {
    case Op::kNumber:
      break;
    case Op::kColumn:
      node.by_row = true;
      break;
    case Op::kConstant:
      node.by_constant = true;
      break;
    default:
      node.by_row = varies(node.a).by_row || varies(node.b).by_row;
      node.by_constant = varies(node.a).by_constant || varies(node.b).by_constant;
  }
  if (std::isnan(node.number)) throw TooMany{};  // equal to nothing: it would never be found again
  const auto [found, is_new] = known_.try_emplace(node, static_cast<int>(nodes_.size()));
  if (is_new) {
    if (nodes_.size() >= kMostNodes) throw TooMany{};
    nodes_.push_back(node);
  }
  return found->second;
}

int FormulaDerivatives::two(Op op, int a, int b) {
  return add({.op = op, .a = a, .b = b});
}
int FormulaDerivatives::one(Op op, int a) {
  return add({.op = op, .a = a, .b = a});
}

int FormulaDerivatives::sum(int a, int b) {
  if (is_number(a) && is_number(b)) return number(of_number(a) + of_number(b));
  if (is(a, 0)) return b;
  if (is(b, 0)) return a;
  return two(Op::kAdd, std::min(a, b), std::max(a, b));
}

int FormulaDerivatives::difference(int a, int b) {
  if (is_number(a) && is_number(b)) return number(of_number(a) - of_number(b));
  if (is(a, 0)) return negative(b);
  if (is(b, 0)) return a;
  return two(Op::kSubtract, a, b);
}

int FormulaDerivatives::product(int a, int b) {
  if (is_number(a) && is_number(b)) return number(of_number(a) * of_number(b));
  if (is(a, 0) || is(b, 0)) return number(0);
  if (is(a, 1)) return b;
  if (is(b, 1)) return a;
  if (is(a, -1)) return negative(b);
  if (is(b, -1)) return negative(a);
  return two(Op::kMultiply, std::min(a, b), std::max(a, b));
}

int FormulaDerivatives::quotient(int a, int b) {
  if (is(a, 0)) return a;
  if (is(b, 1)) return a;
  return two(Op::kDivide, a, b);
}

int FormulaDerivatives::negative(int a) {
  if (is_number(a)) return number(-of_number(a));
  const Node& node = nodes_[static_cast<std::size_t>(a)];
  return node.op == Op::kNegate ? node.a : one(Op::kNegate, a);
}

int FormulaDerivatives::power(int a, int b) {
  if (!is_number(b)) return one(Op::kExp, product(b, one(Op::kLn, a)));
  if (is(b, 1)) return a;
  if (is(b, 2)) return product(a, a);
  if (is(b, -1)) return quotient(number(1), a);
  if (is(b, 0.5)) return one(Op::kSqrt, a);
  return two(Op::kPower, a, b);
}

int FormulaDerivatives::derivative(int node, std::size_t constant) {
  const Node of = nodes_[static_cast<std::size_t>(node)];
  if (!of.by_constant) return number(0);
  if (of.op == Op::kConstant) return number(static_cast<std::size_t>(of.a) == constant ? 1 : 0);
  const auto known = derived_.find({node, constant});
  if (known != derived_.end()) return known->second;
  const int found = derivative_of_operands(of, node, constant);
  derived_[{node, constant}] = found;
  return found;
}

int FormulaDerivatives::derivative_of_operands(const Node& of, int node, std::size_t constant) {
  const int a = derivative(of.a, constant);
  const int b = of.b == of.a ? a : derivative(of.b, constant);
  if (is(a, 0) && is(b, 0)) return a;
  switch (of.op) {
    case Op::kNumber:
    case Op::kColumn:
    case Op::kConstant:
    case Op::kAtMost:  // but where it jumps
      break;
    case Op::kAdd:
      return sum(a, b);
    case Op::kSubtract:
      return difference(a, b);
    case Op::kMultiply:
      return sum(product(a, of.b), product(of.a, b));
    case Op::kDivide:
      return quotient(difference(a, product(node, b)), of.b);
    case Op::kPower:  // of a number
      return product(product(of.b, quotient(node, of.a)), a);
    case Op::kNegate:
      return negative(a);
    case Op::kExp:
      return product(node, a);
    case Op::kLn:
      return quotient(a, of.a);
    case Op::kSqrt:
      return quotient(product(number(0.5), a), node);
    case Op::kTanh:
      return product(difference(number(1), product(node, node)), a);
    case Op::kMin:
    case Op::kMax: {
      const bool least = of.op == Op::kMin;
      const int first = two(Op::kAtMost, least ? of.a : of.b, least ? of.b : of.a);
      return sum(product(first, a), product(difference(number(1), first), b));
    }
  }
  return number(0);
}

void FormulaDerivatives::take(const LawFormula& formula) {
  std::vector<int> at;  // of the formula's own nodes
  for (const LawFormula::Node& node : formula.tape()) {
    const bool leaf = at.empty();
    const int a = leaf ? 0 : at[static_cast<std::size_t>(node.a)];
    const int b = leaf ? 0 : at[static_cast<std::size_t>(node.b)];
    using From = LawFormula::Op;
    const auto logarithm = [&](double of_base) {
      return product(number(1 / of_base), one(Op::kLn, a));
    };
    switch (node.op) {
      case From::kNumber:
        at.push_back(number(node.number));
        break;
      case From::kColumn:
        at.push_back(add({.op = Op::kColumn, .a = node.index}));
        break;
      case From::kConstant:
        at.push_back(add({.op = Op::kConstant, .a = node.index}));
        break;
      case From::kAdd:
        at.push_back(sum(a, b));
        break;
      case From::kSubtract:
        at.push_back(difference(a, b));
        break;
      case From::kMultiply:
        at.push_back(product(a, b));
        break;
      case From::kDivide:
        at.push_back(quotient(a, b));
        break;
      case From::kPower:
        at.push_back(power(a, b));
        break;
      case From::kNegate:
        at.push_back(negative(a));
        break;
      case From::kExp:
        at.push_back(one(Op::kExp, a));
        break;
      case From::kLn:
        at.push_back(one(Op::kLn, a));
        break;
      case From::kLog2:
        at.push_back(logarithm(std::numbers::ln2));
        break;
      case From::kLog10:
        at.push_back(logarithm(std::numbers::ln10));
        break;
      case From::kSqrt:
        at.push_back(one(Op::kSqrt, a));
        break;
      case From::kTanh:
        at.push_back(one(Op::kTanh, a));
        break;
      case From::kMin:
        at.push_back(two(Op::kMin, a, b));
        break;
      case From::kMax:
        at.push_back(two(Op::kMax, a, b));
        break;
    }
  }
  value_ = at.back();
}

std::optional<FormulaDerivatives> FormulaDerivatives::of(const LawFormula& formula) {
  FormulaDerivatives all;
  const std::size_t count = formula.constants().size();
  try {
    all.take(formula);
    for (std::size_t k = 0; k < count; ++k) all.first_.push_back(all.derivative(all.value_, k));
    all.second_.assign(count * count, 0);
    for (std::size_t k = 0; k < count; ++k) {
      for (std::size_t j = 0; j <= k; ++j) {
        all.second_[k * count + j] = all.second_[j * count + k] = all.derivative(all.first_[k], j);
      }
    }
  } catch (const TooMany&) {
    return std::nullopt;
  }
  all.known_.clear();
  all.derived_.clear();
  return all;
}

}  // namespace scalelaw
