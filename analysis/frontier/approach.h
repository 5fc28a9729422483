// What every approach says of the frontier, in one form, so that they stand side by side.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/interval.h"

namespace scalelaw {

enum class ApproachKind {
  kEnvelope,          // 1: the lowest of all loss curves
  kParabola,          // 2: IsoFLOP curves by a parabola of L in ln N
  kAkima,             // 2: by Akima's interpolation
  kParabolaLessBias,  // less what it gives of the fitted surface without noise, less the truth
  kAkimaLessBias,
  kHuber,               // 3: L(N, D) by Huber's loss in ln L
  kLeastSquaresLn,      // 3: L(N, D) by least squares in ln L
  kVariableProjection,  // 3: L(N, D) by least squares in L
  kOptima,              // minima that a table gives
};
std::string_view name(ApproachKind kind);      // "envelope", "isoflop_parabola", ...
std::string_view in_words(ApproachKind kind);  // "1 envelope", "2 IsoFLOP, parabola", ...

// What is known of a quantity beside its value.
struct Estimate {
  double value = 0;
  std::optional<Interval> interval;   // at FrontierOptions::level
  std::optional<Interval> bootstrap;  // percentiles over runs
};

// Of one budget.
struct BudgetEstimate {
  double budget = 0;
  Estimate n, d, loss;
  bool loss_known = true;
  bool beyond = false;  // outside the budgets that the approach used
};

struct Approach {
  ApproachKind kind = ApproachKind::kEnvelope;
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;            // no result, or what to know of it
  int runs = 0, budgets = 0;  // used; budgets 0: not by budgets
  double least_budget = 0, most_budget = 0;
  Estimate exponent;             // a of N* ~ C^a
  double d_exponent = 0;         // of D*
  double coefficient = 0;        // N* = coefficient C^a
  std::optional<double> spread;  // sd of the exponent over draws of runs; no interval
  // What the approach gives of losses without noise on these runs' N and D, of the fitted surface,
  // less what is true there: of the exponent, and of ln N* in the middle of the budgets.
  std::optional<double> bias, level_bias;
  std::vector<BudgetEstimate> at;
  std::vector<std::string> remarks;
  bool stands() const { return has_curve(status); }
};

}  // namespace scalelaw
