#include "analysis/laws/law_formula.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace scalelaw {

std::string formula_place(std::string_view text, std::size_t position) {
  return position >= text.size() ? "its end" : "character " + std::to_string(position + 1);
}

double LawFormula::value(const double* constants, const double* row, double* gradient) const {
  std::array<double, kMostNodes> values;
  values[0] = 0;  // what a leaf's operands, which nobody asks, point at
  for (std::size_t i = 0; i < tape_.size(); ++i) {
    const Node& node = tape_[i];
    const double a = values[static_cast<std::size_t>(node.a)];
    const double b = values[static_cast<std::size_t>(node.b)];
    double& v = values[i];
    switch (node.op) {
      case Op::kNumber:
        v = node.number;
        break;
      case Op::kColumn:
        v = row[node.index];
        break;
      case Op::kConstant:
        v = constants[node.index];
        break;
      case Op::kAdd:
        v = a + b;
        break;
      case Op::kSubtract:
        v = a - b;
        break;
      case Op::kMultiply:
        v = a * b;
        break;
      case Op::kDivide:
        v = a / b;
        break;
      case Op::kPower:
        v = std::pow(a, b);
        break;
      case Op::kNegate:
        v = -a;
        break;
      case Op::kExp:
        v = std::exp(a);
        break;
      case Op::kLn:
        v = std::log(a);
        break;
      case Op::kLog2:
        v = std::log2(a);
        break;
      case Op::kLog10:
        v = std::log10(a);
        break;
      case Op::kSqrt:
        v = std::sqrt(a);
        break;
      case Op::kTanh:
        v = std::tanh(a);
        break;
      case Op::kMin:
        v = std::min(a, b);
        break;
      case Op::kMax:
        v = std::max(a, b);
        break;
    }
  }
  if (gradient != nullptr) go_back(values.data(), gradient);
  return values[tape_.size() - 1];
}

void LawFormula::go_back(const double* values, double* gradient) const {
  std::array<double, kMostNodes> slopes;
  std::fill_n(slopes.begin(), tape_.size(), 0.0);
  std::fill_n(gradient, constants_.size(), 0.0);
  slopes[tape_.size() - 1] = 1;
  for (std::size_t i = tape_.size(); i-- > 0;) {
    const Node& node = tape_[i];
    const double s = slopes[i], v = values[i];
    if (!node.varies || s == 0) continue;
    if (node.op == Op::kConstant) {
      gradient[node.index] += s;
      continue;
    }
    const auto at_a = static_cast<std::size_t>(node.a), at_b = static_cast<std::size_t>(node.b);
    const double a = values[at_a], b = values[at_b];
    const auto pass = [&](double to_a, double to_b = 0) {
      slopes[at_a] += s * to_a;
      slopes[at_b] += s * to_b;
    };
    switch (node.op) {
      case Op::kNumber:
      case Op::kColumn:
      case Op::kConstant:
        break;
      case Op::kAdd:
        pass(1, 1);
        break;
      case Op::kSubtract:
        pass(1, -1);
        break;
      case Op::kMultiply:
        pass(b, a);
        break;
      case Op::kDivide:
        pass(1 / b, -v / b);
        break;
      case Op::kPower:
        // Only what varies is asked: ln of a base that is 0 or below has no value.
        if (tape_[at_a].varies) slopes[at_a] += s * b * std::pow(a, b - 1);
        if (tape_[at_b].varies && v != 0) slopes[at_b] += s * v * std::log(a);
        break;
      case Op::kNegate:
        pass(-1);
        break;
      case Op::kExp:
        pass(v);
        break;
      case Op::kLn:
        pass(1 / a);
        break;
      case Op::kLog2:
        pass(1 / (a * std::numbers::ln2));
        break;
      case Op::kLog10:
        pass(1 / (a * std::numbers::ln10));
        break;
      case Op::kSqrt:
        pass(0.5 / v);
        break;
      case Op::kTanh:
        pass(1 - v * v);
        break;
      case Op::kMin:
        pass(a <= b ? 1 : 0, a <= b ? 0 : 1);
        break;
      case Op::kMax:
        pass(a >= b ? 1 : 0, a >= b ? 0 : 1);
        break;
    }
  }
}

}  // namespace scalelaw
