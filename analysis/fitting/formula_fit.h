// Fits any FormulaLaw to any rows, and says what the rows do not determine.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/formula_objective.h"
#include "analysis/fitting/formula_refine.h"

namespace scalelaw {

struct FormulaFitOptions {
  ErrorKind kind = ErrorKind::kHuberLn;
  // Of kHuberLn; nullopt: 1.345 robust standard deviations of the least-squares residuals, 95%
  // efficient where noise is normal, and 1e-6 at least.
  std::optional<double> delta = std::nullopt;
  int starts = 24;
  uint64_t seed = 1;
  int threads = 1;                          // changes no digit
  std::map<std::size_t, double> held = {};  // constants that stay at a value
  bool by_newton = true;                    // where that is easy (formula_newton.h)
};

struct FormulaFit {
  // kAtBound: a constant at an end of its range, or a floor of 0. kNotIdentified: no residual
  // degree of freedom, or constants that the rows do not determine. kDegenerate: what the law gives
  // does not vary. kTooFewPoints: fewer distinct points than constants.
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;  // a sentence; empty when converged
  RefinedFormula found;
  std::vector<double> values;  // constants in the formula's order; 0 of a term that has vanished
  double objective = 0;        // F of formula_objective.h
  double delta = 0;            // Huber's, where that was asked for
  int starts = 0, starts_at_best = 0;
  int points = 0;       // distinct
  int residual_df = 0;  // rows less free constants
  // By index: at an end, and those that the null space of the Gauss-Newton matrix at the optimum
  // lies in, or whose terms have vanished.
  std::vector<std::size_t> at_bound, undetermined;
  std::vector<std::vector<double>> other_optima;  // search coordinates, for warm starts
};

FormulaFit fit_formula(const FormulaLaw& law, const FormulaData& data,
                       const FormulaFitOptions& options);

// From given search coordinates alone: the best of them, for bootstrap replicates.
RefinedFormula refit(const FormulaObjective& objective,
                     const std::vector<std::vector<double>>& starts);

// Standard deviations of the search coordinates of `free` for a unit variance of the residuals:
// roots of the diagonal of the inverse Gauss-Newton matrix. Infinite in its null space.
std::vector<double> unit_deviations(const FormulaObjective& objective, const std::vector<double>& u,
                                    const std::vector<std::size_t>& free);

// Symbols in a list: "E, A and alpha".
std::string symbols(const FormulaLaw& law, const std::vector<std::size_t>& which);

}  // namespace scalelaw
