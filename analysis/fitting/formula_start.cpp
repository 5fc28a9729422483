#include "analysis/fitting/formula_start.h"

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace scalelaw {
namespace {

using Index = Eigen::Index;

// In [0, 1), the same with every standard library.
double uniform(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11) * 0x1.0p-53;
}

double within_start(const FormulaConstant& constant, double share) {
  const double low = constant.to_search(constant.start_low);
  const double high = constant.to_search(constant.start_high);
  return low + share * (high - low);
}

// Places of each constant in `draws` equal parts of its start range, each part once.
std::vector<std::vector<double>> latin_hypercube(std::size_t constants, int draws,
                                                 std::mt19937_64& random) {
  std::vector<std::vector<double>> places(static_cast<std::size_t>(draws),
                                          std::vector<double>(constants));
  std::vector<int> order(static_cast<std::size_t>(draws));
  for (std::size_t k = 0; k < constants; ++k) {
    std::iota(order.begin(), order.end(), 0);
    for (std::size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[random() % i]);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
      places[i][k] = (order[i] + uniform(random)) / draws;
    }
  }
  return places;
}

// Solves the linear constants of `values` by least squares in the objective's error space; those
// that must be positive and would not be start small.
void solve_linear(const FormulaObjective& objective, const std::vector<std::size_t>& linear,
                  std::vector<double>& values) {
  const FormulaLaw& law = objective.law;
  const FormulaData& data = objective.data;
  const auto rows = static_cast<Index>(data.rows()), width = static_cast<Index>(linear.size());
  Eigen::MatrixXd columns(rows, width);
  Eigen::VectorXd right(rows);
  std::array<double, LawFormula::kMostNames> d;
  for (Index i = 0; i < rows; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const double v = law.formula.value(values.data(), data.row(at), d.data());
    const double y = data.response[at];
    const double weight = std::sqrt(data.weight[at]) / (is_in_ln(objective.kind) ? std::abs(y) : 1);
    double fixed = v;
    for (Index k = 0; k < width; ++k) {
      const std::size_t constant = linear[static_cast<std::size_t>(k)];
      columns(i, k) = weight * d[constant];
      fixed -= values[constant] * d[constant];
    }
    right[i] = weight * (y - fixed);
  }
  if (!columns.allFinite() || !right.allFinite()) return;
  std::vector<Index> kept(linear.size());
  std::iota(kept.begin(), kept.end(), 0);
  Eigen::VectorXd found = Eigen::VectorXd::Zero(width);
  while (!kept.empty()) {
    Eigen::MatrixXd some(rows, static_cast<Index>(kept.size()));
    for (std::size_t k = 0; k < kept.size(); ++k) {
      some.col(static_cast<Index>(k)) = columns.col(kept[k]);
    }
    const Eigen::VectorXd solved = some.colPivHouseholderQr().solve(right);
    std::size_t worst = kept.size();
    double least = 0;
    for (std::size_t k = 0; k < kept.size(); ++k) {
      const auto& constant = law.constants[linear[static_cast<std::size_t>(kept[k])]];
      const double share = solved[static_cast<Index>(k)] * some.col(static_cast<Index>(k)).norm();
      if (constant.transform != Transform::kLinear && share < least) {
        least = share;
        worst = k;
      }
    }
    if (worst < kept.size()) {
      kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(worst));
      continue;
    }
    for (std::size_t k = 0; k < kept.size(); ++k) found[kept[k]] = solved[static_cast<Index>(k)];
    break;
  }
  for (Index k = 0; k < width; ++k) {
    const std::size_t at = linear[static_cast<std::size_t>(k)];
    const FormulaConstant& constant = law.constants[at];
    double value = found[k];
    if (constant.transform == Transform::kLog && !(value > 0)) {
      value = 1e-3 * right.norm() / std::max(columns.col(k).norm(), 1e-300);
    }
    if (constant.transform == Transform::kLogit) {
      const double margin = .01 * (constant.high - constant.low);
      value = std::clamp(value, constant.low + margin, constant.high - margin);
    }
    if (std::isfinite(value)) values[at] = value;
  }
}

}  // namespace

std::vector<std::size_t> linear_constants(const FormulaLaw& law, const FormulaData& data) {
  constexpr int kRowsAsked = 12;
  const std::size_t count = law.constants.size();
  std::mt19937_64 random(1);
  std::vector<double> values(count);
  for (std::size_t k = 0; k < count; ++k) {
    values[k] = law.constants[k].from_search(within_start(law.constants[k], uniform(random)));
  }
  std::vector<std::size_t> linear;
  for (std::size_t k = 0; k < count; ++k) {
    std::vector<std::size_t> asked = linear;
    asked.push_back(k);
    std::vector<double> moved = values;
    for (const std::size_t j : asked) moved[j] *= .5 + .4 * uniform(random);
    bool same = true;
    const std::size_t step = std::max<std::size_t>(1, data.rows() / kRowsAsked);
    for (std::size_t i = 0; i < data.rows() && same; i += step) {
      std::array<double, LawFormula::kMostNames> before, after;
      law.formula.value(values.data(), data.row(i), before.data());
      law.formula.value(moved.data(), data.row(i), after.data());
      for (const std::size_t j : asked) {
        same = same && std::abs(before[j] - after[j]) <= 1e-9 * std::abs(before[j]);
      }
    }
    if (same) linear.push_back(k);
  }
  return linear;
}

std::vector<std::vector<double>> formula_starts(const FormulaObjective& objective, int count,
                                                uint64_t seed,
                                                const std::map<std::size_t, double>& held) {
  constexpr std::array kDraws = {1, 48, 300, 800, 1500};
  const FormulaLaw& law = objective.law;
  std::vector<std::size_t> linear = linear_constants(law, objective.data);
  std::erase_if(linear, [&](std::size_t k) { return held.contains(k); });
  std::vector<std::size_t> searched;
  for (std::size_t k = 0; k < law.constants.size(); ++k) {
    const bool is_linear = std::find(linear.begin(), linear.end(), k) != linear.end();
    if (!is_linear && !held.contains(k)) searched.push_back(k);
  }
  std::mt19937_64 random(seed);
  struct Draw {
    double objective = 0;
    std::vector<double> u;
  };
  std::vector<Draw> draws;
  for (const std::vector<double>& place : latin_hypercube(
           searched.size(), kDraws[std::min(searched.size(), kDraws.size() - 1)], random)) {
    std::vector<double> values(law.constants.size());
    for (std::size_t k = 0; k < values.size(); ++k) {
      values[k] = law.constants[k].from_search(within_start(law.constants[k], .5));
    }
    for (const auto& [k, value] : held) values[k] = value;
    for (std::size_t s = 0; s < searched.size(); ++s) {
      const FormulaConstant& constant = law.constants[searched[s]];
      values[searched[s]] = constant.from_search(within_start(constant, place[s]));
    }
    if (!linear.empty()) solve_linear(objective, linear, values);
    Draw draw;
    for (std::size_t k = 0; k < values.size(); ++k) {
      draw.u.push_back(law.constants[k].to_search(values[k]));
    }
    draw.objective = objective.value(draw.u.data());
    if (std::isfinite(draw.objective)) draws.push_back(std::move(draw));
  }
  std::stable_sort(draws.begin(), draws.end(),
                   [](const Draw& a, const Draw& b) { return a.objective < b.objective; });
  // Half of them the best, the others spread over the ranks: where the best share one valley.
  std::vector<std::vector<double>> starts;
  const std::size_t wanted = std::min<std::size_t>(static_cast<std::size_t>(count), draws.size());
  const std::size_t best = (wanted + 1) / 2;
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::size_t rank =
        i < best ? i : best + (i - best) * (draws.size() - best) / (wanted - best);
    starts.push_back(std::move(draws[rank].u));
  }
  return starts;
}

}  // namespace scalelaw
