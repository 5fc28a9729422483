// Loss, size, steps and batch of the run that is lowest at each of many log-spaced budgets, as
// power laws of the budget. Of C at one batch that is Kaplan et al. 2020's naive L(C); of C_min 1.3
// and the empirical exponents beside 1.7.
#pragma once

#include <span>
#include <string>

#include "analysis/fitting/fit.h"
#include "analysis/kaplan/adjusted_curve.h"
#include "analysis/weighted_line.h"

namespace scalelaw {

enum class BudgetKind {
  kSpent,  // C = 6 N B S, of curves of one batch; its steps are S
  kLeast,  // C_min; its steps are S_min, its batch B_crit
};

struct LowestCurveLaw {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  int runs = 0, sizes = 0;         // of the curves; sizes that are lowest somewhere, ends left out
  double least_c = 0, most_c = 0;  // FLOPs, where such a size is lowest
  double least_loss = 0, most_loss = 0;
  WeightedLine loss, size, steps, batch;  // ln of each over ln C; batch of kLeast alone
  bool stands() const { return has_curve(status); }
  double exponent() const { return -loss.slope; }  // a of L = (C_c / C)^a
  double ln_scale() const { return loss.centre_x + loss.centre_y / exponent(); }  // ln C_c
};

// Budgets at which the least or the largest size is lowest are left out: what is best there lies
// beyond. Curves of one size count as one, the lowest. `critical` is asked for by kLeast alone.
LowestCurveLaw lowest_curve_law(std::span<const AdjustedCurve* const> curves, BudgetKind kind,
                                const CriticalBatch* critical, int budgets);

}  // namespace scalelaw
