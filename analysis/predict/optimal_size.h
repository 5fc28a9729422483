// The size at which a budget is spent best, of a fitted L = E + A N^-alpha + B D^-beta:
//   N* = G (C / 6)^a,  G = (alpha A / (beta B))^(1 / (alpha + beta)),  a = beta / (alpha + beta)
// (Hoffmann et al. 2022, eq. 4). C is 6 N D of the very N that was fitted.
#pragma once

#include <optional>
#include <string>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/interval.h"
#include "models/model_shape.h"

namespace scalelaw {

// The count of FLOPs by which C = 6 N D of such an N; nullopt: there is none (all parameters).
std::optional<CCount> six_n_of(NCount convention);

struct OptimalSize {
  FitStatus status = FitStatus::kTooFewPoints;  // converged: N* is identified
  std::string why;                              // it is not
  double coefficient = 0, exponent = 0;         // N* = coefficient C^exponent; 0: no curve
  double standard_error = 0;                    // of the exponent; 0: not known
  std::optional<Interval> interval;             // of the exponent, at `level`
  // ln N* of a budget C is known to within hypot(ln_reach, exponent_reach ln(C / best_known)) at
  // `level`, coefficient and exponent taken jointly; 0: not known.
  double best_known = 0, ln_reach = 0, exponent_reach = 0;
};

// `best` of chinchilla_law() and `data` by this `huber_delta`. The standard errors are
// the jackknife's over the data's rows. Not identified: the interval reaches 0 or 1, or no row can
// be spared. A fit at its bound E = 0 has an N* as any other.
OptimalSize optimal_size(const FitData& data, const FitResult& best, double huber_delta,
                         double level = 0.95);

}  // namespace scalelaw
