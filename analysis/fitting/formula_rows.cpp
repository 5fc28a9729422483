#include "analysis/fitting/formula_rows.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {
namespace {

constexpr std::size_t kBlock = 64;  // rows; a formula's columns of them stay in the first cache
using Op = FormulaDerivatives::Op;
using Index = Eigen::Index;

template <typename Of>
void each(const double* a, double scalar_a, const double* b, double scalar_b, double* out,
          std::size_t count, const Of& of) {
  if (a != nullptr && b != nullptr) {
    for (std::size_t i = 0; i < count; ++i) out[i] = of(a[i], b[i]);
  } else if (a != nullptr) {
    for (std::size_t i = 0; i < count; ++i) out[i] = of(a[i], scalar_b);
  } else if (b != nullptr) {
    for (std::size_t i = 0; i < count; ++i) out[i] = of(scalar_a, b[i]);
  } else {
    std::fill_n(out, count, of(scalar_a, scalar_b));
  }
}

std::vector<bool> asked_for(const FormulaDerivatives& derivatives, std::size_t constants) {
  const std::vector<FormulaDerivatives::Node>& nodes = derivatives.nodes();
  std::vector<bool> asked(nodes.size(), false);
  asked[static_cast<std::size_t>(derivatives.value())] = true;
  for (std::size_t k = 0; k < constants; ++k) {
    asked[static_cast<std::size_t>(derivatives.first(k))] = true;
    for (std::size_t j = 0; j <= k; ++j) {
      asked[static_cast<std::size_t>(derivatives.second(k, j))] = true;
    }
  }
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const bool leaf =
        nodes[i].op == Op::kNumber || nodes[i].op == Op::kColumn || nodes[i].op == Op::kConstant;
    if (!asked[i] || leaf) continue;
    asked[static_cast<std::size_t>(nodes[i].a)] = asked[static_cast<std::size_t>(nodes[i].b)] =
        true;
  }
  return asked;
}

}  // namespace

void FormulaRows::compute(const FormulaDerivatives::Node& node, Operand a, Operand b, double* out,
                          std::size_t count) {
  const auto run = [&](const auto& of) {
    each(a.column, a.scalar, b.column, b.scalar, out, count, of);
  };
  switch (node.op) {
    case Op::kNumber:
    case Op::kColumn:
    case Op::kConstant:
      break;
    case Op::kAdd:
      return run([](double x, double y) { return x + y; });
    case Op::kSubtract:
      return run([](double x, double y) { return x - y; });
    case Op::kMultiply:
      return run([](double x, double y) { return x * y; });
    case Op::kDivide:
      return run([](double x, double y) { return x / y; });
    case Op::kPower:
      return run([](double x, double y) { return std::pow(x, y); });
    case Op::kNegate:
      return run([](double x, double) { return -x; });
    case Op::kExp:
      return run([](double x, double) { return std::exp(x); });
    case Op::kLn:
      return run([](double x, double) { return std::log(x); });
    case Op::kSqrt:
      return run([](double x, double) { return std::sqrt(x); });
    case Op::kTanh:
      return run([](double x, double) { return std::tanh(x); });
    case Op::kMin:
      return run([](double x, double y) { return std::min(x, y); });
    case Op::kMax:
      return run([](double x, double y) { return std::max(x, y); });
    case Op::kAtMost:
      return run([](double x, double y) { return x <= y ? 1.0 : 0.0; });
  }
}

FormulaRows::Operand FormulaRows::operand(int node, std::size_t begin) const {
  const auto at = static_cast<std::size_t>(node);
  const FormulaDerivatives::Node& of = derivatives_.nodes()[at];
  if (!of.by_row) return {nullptr, scalars_[at]};
  const Index place = place_[at];
  if (of.by_constant) return {block_columns_.col(place).data(), 0};
  return {row_columns_.col(place).data() + begin, 0};
}

FormulaRows::FormulaRows(const FormulaObjective& objective, const FormulaDerivatives& derivatives)
    : objective_(objective),
      derivatives_(derivatives),
      constants_(objective.law.constants.size()),
      place_(derivatives.nodes().size(), -1),
      scalars_(derivatives.nodes().size()) {
  const std::vector<bool> asked = asked_for(derivatives, constants_);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (!asked[i]) continue;
    const FormulaDerivatives::Node& node = derivatives.nodes()[i];
    std::vector<int>& list = !node.by_row ? by_constant_ : node.by_constant ? by_both_ : by_row_;
    if (node.by_row) place_[i] = static_cast<int>(list.size());
    list.push_back(static_cast<int>(i));
  }
  const FormulaData& data = objective.data;
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] > 0) kept.push_back(i);
  }
  rows_ = kept.size();
  response_.resize(static_cast<Index>(rows_));
  weight_.resize(static_cast<Index>(rows_));
  for (std::size_t i = 0; i < rows_; ++i) {
    const double y = data.response[kept[i]];
    response_[static_cast<Index>(i)] = is_in_ln(objective.kind) ? std::log(y) : y;
    weight_[static_cast<Index>(i)] = data.weight[kept[i]];
  }
  compute_row_columns(data, kept);
  block_columns_.resize(kBlock, static_cast<Index>(by_both_.size()));
  for (Eigen::ArrayXd* of_block : {&slope_, &curve_, &weigh_, &unit_}) of_block->resize(kBlock);
}

void FormulaRows::compute_row_columns(const FormulaData& data,
                                      const std::vector<std::size_t>& kept) {
  const std::size_t stride = (rows_ + kBlock - 1) / kBlock * kBlock;
  row_columns_.resize(static_cast<Index>(stride), static_cast<Index>(by_row_.size()));
  // Numbers are operands of columns: their scalars, which no search changes.
  for (const int node : by_constant_) {
    const FormulaDerivatives::Node& of = derivatives_.nodes()[static_cast<std::size_t>(node)];
    if (of.op == Op::kNumber) {
      scalars_[static_cast<std::size_t>(node)] = of.number;
    } else if (!of.by_constant) {
      compute(of, operand(of.a, 0), operand(of.b, 0), &scalars_[static_cast<std::size_t>(node)], 1);
    }
  }
  for (std::size_t p = 0; p < by_row_.size(); ++p) {
    const FormulaDerivatives::Node& of = derivatives_.nodes()[static_cast<std::size_t>(by_row_[p])];
    double* out = row_columns_.col(static_cast<Index>(p)).data();
    if (of.op == Op::kColumn) {
      for (std::size_t i = 0; i < rows_; ++i) out[i] = data.row(kept[i])[of.a];
    } else {
      compute(of, operand(of.a, 0), operand(of.b, 0), out, rows_);
    }
  }
}

// From the law's values of a block. false: a row has none.
bool FormulaRows::weigh(std::size_t begin, std::size_t count, double& sum) {
  const bool in_ln = is_in_ln(objective_.kind);
  const Operand law = operand(derivatives_.value(), begin);
  for (std::size_t i = 0; i < count; ++i) {
    const double v = law.column != nullptr ? law.column[i] : law.scalar;
    if (!std::isfinite(v) || (in_ln && v <= 0)) return false;
    const auto row = static_cast<Index>(begin + i), at = static_cast<Index>(i);
    const double r = response_[row] - (in_ln ? std::log(v) : v);
    const RowPart part = row_part(objective_.kind, objective_.delta, r);
    const double w = weight_[row], unit = in_ln ? 1 / v : 1;
    sum += w * part.value;
    slope_[at] = -w * part.slope * unit;
    // ln v curves by itself, which its own first derivatives' product takes back.
    curve_[at] = w * (part.curvature + (in_ln ? part.slope : 0)) * unit * unit;
    weigh_[at] = w * part.weight * unit * unit;
    unit_[at] = unit;
  }
  return true;
}

void FormulaRows::accumulate(std::size_t begin, std::size_t count, FormulaCurvature& out) {
  const auto rows = static_cast<Index>(count);
  const auto slope = slope_.head(rows), curve = curve_.head(rows), weigh = weigh_.head(rows);
  Eigen::Array<double, Eigen::Dynamic, 1, 0, kBlock, 1> curved(rows), weighed(rows), ones(rows);
  ones.setOnes();
  const auto with_column = [&](int node, const auto& use) {
    const Operand of = operand(node, begin);
    if (of.column != nullptr) return use(Column(of.column, rows));
    curved = of.scalar * ones;
    use(Column(curved.data(), rows));
  };
  for (std::size_t k = 0; k < constants_; ++k) {
    const auto at = static_cast<Index>(k);
    with_column(derivatives_.first(k), [&](const Column& d) {
      out.gradient[at] += (slope * d).sum();
      out.contributions[at] += (slope * d).abs().sum();
      out.effect[at] = std::max(out.effect[at], (unit_.head(rows) * d).abs().maxCoeff());
    });
  }
  for (std::size_t k = 0; k < constants_; ++k) {
    const auto at = static_cast<Index>(k);
    with_column(derivatives_.first(k), [&](const Column& d) {
      weighed = weigh * d;
      curved = curve * d;  // d is not asked for again, should it have stood here
    });
    for (std::size_t j = 0; j <= k; ++j) {
      const auto other = static_cast<Index>(j);
      const Operand of = operand(derivatives_.first(j), begin);
      if (of.column != nullptr) {
        const Column d(of.column, rows);
        out.hessian(at, other) += (curved * d).sum();
        out.gauss_newton(at, other) += (weighed * d).sum();
      } else {
        out.hessian(at, other) += of.scalar * curved.sum();
        out.gauss_newton(at, other) += of.scalar * weighed.sum();
      }
      const int second = derivatives_.second(k, j);
      if (derivatives_.is_zero(second)) continue;
      const Operand bend = operand(second, begin);
      out.hessian(at, other) += bend.column != nullptr ? (slope * Column(bend.column, rows)).sum()
                                                       : bend.scalar * slope.sum();
    }
  }
}

// From derivatives in the constants to those in their search coordinates.
void FormulaRows::to_search(const double* u, FormulaCurvature& out) const {
  const auto count = static_cast<Index>(constants_);
  ConstantVector slopes(count);
  for (Index k = 0; k < count; ++k) {
    slopes[k] = objective_.law.constants[static_cast<std::size_t>(k)].slope(u[k]);
  }
  for (Index k = 0; k < count; ++k) {
    for (Index j = 0; j <= k; ++j) {
      out.hessian(j, k) = out.hessian(k, j) *= slopes[k] * slopes[j];
      out.gauss_newton(j, k) = out.gauss_newton(k, j) *= slopes[k] * slopes[j];
    }
    const FormulaConstant& constant = objective_.law.constants[static_cast<std::size_t>(k)];
    out.hessian(k, k) += out.gradient[k] * constant.bend(u[k]);
    out.gradient[k] *= slopes[k];
    out.contributions[k] *= std::abs(slopes[k]);
    out.effect[k] *= std::abs(slopes[k]);
  }
}

bool FormulaRows::evaluate(const double* u, FormulaCurvature& out) {
  const auto count = static_cast<Index>(constants_);
  out.value = 0;
  for (ConstantVector* each : {&out.gradient, &out.contributions, &out.effect}) {
    each->setZero(count);
  }
  out.hessian.setZero(count, count);
  out.gauss_newton.setZero(count, count);
  for (const int node : by_constant_) {
    const auto at = static_cast<std::size_t>(node);
    const FormulaDerivatives::Node& of = derivatives_.nodes()[at];
    if (!of.by_constant) continue;
    if (of.op == Op::kConstant) {
      const auto k = static_cast<std::size_t>(of.a);
      scalars_[at] = objective_.law.constants[k].from_search(u[k]);
    } else {
      compute(of, operand(of.a, 0), operand(of.b, 0), &scalars_[at], 1);
    }
  }
  for (std::size_t begin = 0; begin < rows_; begin += kBlock) {
    const std::size_t some = std::min(kBlock, rows_ - begin);
    for (std::size_t p = 0; p < by_both_.size(); ++p) {
      const FormulaDerivatives::Node& of =
          derivatives_.nodes()[static_cast<std::size_t>(by_both_[p])];
      compute(of, operand(of.a, begin), operand(of.b, begin),
              block_columns_.col(static_cast<Index>(p)).data(), some);
    }
    if (!weigh(begin, some, out.value)) return false;
    accumulate(begin, some, out);
  }
  to_search(u, out);
  return std::isfinite(out.value) && out.gradient.allFinite() && out.contributions.allFinite() &&
         out.hessian.allFinite() && out.gauss_newton.allFinite();
}

}  // namespace scalelaw
