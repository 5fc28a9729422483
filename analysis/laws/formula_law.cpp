#include "analysis/laws/formula_law.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "analysis/laws/formula_constants.h"

namespace scalelaw {

double FormulaConstant::to_search(double value) const {
  switch (transform) {
    case Transform::kLog:
      return std::log(value);
    case Transform::kLinear:
      return value;
    case Transform::kLogit:
      break;
  }
  return std::log((value - low) / (high - value));
}

double FormulaConstant::from_search(double u) const {
  switch (transform) {
    case Transform::kLog:
      return std::exp(u);
    case Transform::kLinear:
      return u;
    case Transform::kLogit:
      break;
  }
  return low + (high - low) / (1 + std::exp(-u));
}

double FormulaConstant::slope(double u) const {
  switch (transform) {
    case Transform::kLog:
      return std::exp(u);
    case Transform::kLinear:
      return 1;
    case Transform::kLogit:
      break;
  }
  const double above = 1 / (1 + std::exp(-u));
  return (high - low) * above * (1 - above);
}

double FormulaConstant::bend(double u) const {
  switch (transform) {
    case Transform::kLog:
      return std::exp(u);
    case Transform::kLinear:
      return 0;
    case Transform::kLogit:
      break;
  }
  const double above = 1 / (1 + std::exp(-u));
  return slope(u) * (1 - 2 * above);
}

FormulaLaw formula_law(std::string id, std::string about, const std::string& text,
                       const std::vector<FormulaConstant>& constants, std::string source) {
  LawFormula formula(text, law_columns());
  std::vector<FormulaConstant> in_order;
  for (const std::string& symbol : formula.constants()) {
    const auto found = std::find_if(constants.begin(), constants.end(),
                                    [&](const auto& each) { return each.symbol == symbol; });
    assert(found != constants.end());
    in_order.push_back(*found);
  }
  assert(in_order.size() == constants.size());
  return {std::move(id), std::move(about), std::move(formula), std::move(in_order),
          std::move(source)};
}

const std::vector<FormulaLaw>& named_formula_laws() {
  static const std::vector<FormulaLaw> all = [] {
    std::vector<FormulaLaw> laws;
    for (const auto& family : {laws_of_one_scale, laws_of_size_and_data, laws_of_batch_and_rate,
                               laws_of_tasks, rival_forms}) {
      for (FormulaLaw& law : family()) laws.push_back(std::move(law));
    }
    return laws;
  }();
  return all;
}

const FormulaLaw* find_formula_law(std::string_view id) {
  for (const FormulaLaw& law : named_formula_laws()) {
    if (law.id == id || (!id.empty() && law.other_id == id)) return &law;
  }
  return nullptr;
}

FormulaLaw own_law(const std::string& text, std::span<const std::string> columns) {
  LawFormula formula(text, columns);
  std::vector<FormulaConstant> constants;
  for (std::size_t k = 0; k < formula.constants().size(); ++k) {
    const std::string& symbol = formula.constants()[k];
    const bool capital = symbol.front() >= 'A' && symbol.front() <= 'Z';
    if (capital) {
      constants.push_back(positive(symbol, {}, 1e-3, 1e15));
    } else if (formula.is_exponent(k)) {
      constants.push_back({symbol, Transform::kLinear, -3, 3, .03, 1, {}});
    } else {
      const double infinite = std::numeric_limits<double>::infinity();
      constants.push_back({symbol, Transform::kLinear, -infinite, infinite, -2, 2, {}});
    }
  }
  return {"own", "your own", std::move(formula), std::move(constants), "the command line"};
}

std::optional<double> inverse(const FormulaLaw& law, std::span<const double> values,
                              std::vector<double> row, std::size_t column, double target,
                              double low, double high) {
  const auto above = [&](double at) {
    row[column] = at;
    return law.value(values, row) - target;
  };
  double at_low = above(low);
  const double at_high = above(high);
  if (!(at_low * at_high <= 0)) return std::nullopt;
  for (int halving = 0; halving < 200 && high / low > 1 + 1e-14; ++halving) {
    const double middle = std::sqrt(low) * std::sqrt(high);
    const double there = above(middle);
    if ((there < 0) == (at_low < 0)) {
      low = middle;
      at_low = there;
    } else {
      high = middle;
    }
  }
  return std::sqrt(low) * std::sqrt(high);
}

std::span<const std::string> law_columns() {
  static const std::array<std::string, 11> columns = {
      "L", "N", "D", "C", "S", "batch", "T", "U", "lr", "accuracy", "neg_ln_pass"};
  return columns;
}

}  // namespace scalelaw
