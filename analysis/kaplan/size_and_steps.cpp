#include "analysis/kaplan/size_and_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "analysis/laws/formula_law.h"

namespace scalelaw {
namespace {

const FormulaLaw& law_of_size_and_steps() {
  static const FormulaLaw& law = *find_formula_law("kaplan_ns");
  return law;
}

double value_of(const FormulaFit& fit, const char* symbol) {
  const FormulaLaw& law = law_of_size_and_steps();
  const auto found = std::ranges::find(law.constants, symbol, &FormulaConstant::symbol);
  return fit.values[static_cast<std::size_t>(found - law.constants.begin())];
}

// Where the compute crosses (1 + extra) times the least, between two k of which one is dearer.
double crossing(double a_n, double a_s, double extra, double cheap, double dear) {
  constexpr int kHalvings = 100;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = std::sqrt(cheap * dear);
    (wrong_size_cost(a_n, a_s, middle).compute <= 1 + extra ? cheap : dear) = middle;
  }
  return cheap;
}

}  // namespace

double SizeAndSteps::loss(double n, double s_min) const {
  return std::pow(n_c / n, a_n) + std::pow(s_c / s_min, a_s);
}

SizeAndSteps fit_size_and_steps(std::span<const AdjustedCurve> curves,
                                std::span<const double> times, const std::vector<double>& start) {
  const FormulaLaw& law = law_of_size_and_steps();
  SizeAndSteps result;
  FormulaData data;
  data.width = 2;
  std::set<double> sizes;
  result.least_loss = HUGE_VAL;
  const bool size_first = law.formula.columns().front() == "N";
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (!(times[i] > 0) || curves[i].points.empty()) continue;
    ++result.runs;
    sizes.insert(curves[i].n);
    for (const CurvePoint& point : curves[i].points) {
      if (!(point.s_min > 0)) continue;
      const double row[] = {size_first ? point.n : point.s_min, size_first ? point.s_min : point.n};
      data.add(row, point.loss, times[i]);
      result.least_loss = std::min(result.least_loss, point.loss);
      result.most_loss = std::max(result.most_loss, point.loss);
    }
  }
  result.points = static_cast<int>(data.rows());
  result.sizes = static_cast<int>(sizes.size());
  constexpr int kFewestSizes = 3;
  if (result.sizes < kFewestSizes) {
    result.fit.why = std::to_string(result.sizes) + (result.sizes == 1 ? " size" : " sizes") +
                     " with S_min, and L(N, S_min) takes three";
    return result;
  }
  FormulaFitOptions options;
  options.kind = ErrorKind::kGaussianLn;
  if (start.empty()) {
    result.fit = fit_formula(law, data, options);
  } else {
    result.fit.found = refit(law, data, options.kind, 0, {start});
    const RefinedFormula& found = result.fit.found;
    const bool good = std::isfinite(found.objective) &&
                      found.scaled_gradient <= kGradientTolerance &&
                      found.free().size() == law.constants.size();
    result.fit.status = good ? FitStatus::kConverged : FitStatus::kNotConverged;
    result.fit.objective = found.objective;
    for (std::size_t k = 0; k < law.constants.size(); ++k) {
      result.fit.values.push_back(law.constants[k].from_search(found.u[k]));
    }
  }
  if (!result.stands()) return result;
  result.n_c = value_of(result.fit, "N_c");
  result.a_n = value_of(result.fit, "a_N");
  result.s_c = value_of(result.fit, "S_c");
  result.a_s = value_of(result.fit, "a_S");
  const double df = data.total_weight() - static_cast<double>(law.constants.size());
  result.residual_sd = std::sqrt(2 * result.fit.objective / std::max(df, 1.0));
  return result;
}

EfficientExponents predicted_exponents(double a_n, double a_s, double inverse_a_b) {
  const double a_c = 1 / (1 / a_s + inverse_a_b + 1 / a_n);
  return {a_c, a_c / a_n, a_c * inverse_a_b, a_c / a_s};
}

WrongSizeCost wrong_size_cost(double a_n, double a_s, double k) {
  const double above = a_n / a_s;  // of the loss over the converged one, at N*
  const double left = 1 + above - std::pow(k, -a_n);
  if (!(left > 0)) {
    const double infinite = std::numeric_limits<double>::infinity();
    return {infinite, infinite};
  }
  const double steps = std::pow(above / left, 1 / a_s);
  return {k * steps, steps};
}

SizeRange sizes_within(double a_n, double a_s, double extra) {
  return {crossing(a_n, a_s, extra, 1, 1e-3), crossing(a_n, a_s, extra, 1, 1e3)};
}

}  // namespace scalelaw
