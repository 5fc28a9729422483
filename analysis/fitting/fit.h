// What is fitted (FitData) and what comes out (FitResult), for every estimator in this folder.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/laws/law.h"

namespace scalelaw {

struct Observation {
  double n = 0;       // parameters
  double d = 1;       // training tokens; any constant where the law has no D
  double loss = 0;    // nats per token (or bits per byte), > 0
  double weight = 1;  // a count in a bootstrap replicate; 0 leaves the row out
};

// Observations in centred logs. The centre is fixed when built: reweighting does not move it, so
// parameters of bootstrap replicates are comparable and one warm start serves all.
struct FitData {
  LogCentre centre;
  std::vector<CentredScale> scale;
  std::vector<double> loss, ln_loss, weight;

  FitData() = default;
  explicit FitData(std::span<const Observation> observations);
  std::size_t rows() const { return loss.size(); }
  double total_weight() const;
  // Rows of weight > 0 that differ in (N, D): what bounds the number of parameters.
  int distinct_scales() const;
  CentredScale centred(double n, double d) const;
};

// Every consumer must handle every status; only kConverged carries a standard error.
enum class FitStatus {
  kConverged,      // scaled gradient small, parameters inside their ranges
  kAtBound,        // the best fit lies at E = 0: the law without a floor is the fit
  kDegenerate,     // the data do not determine the columns (one size, equal losses, ...)
  kNotIdentified,  // no residual degree of freedom: the curve interpolates, parameters are a set
  kTooFewPoints,   // fewer distinct scales than parameters
  kNotConverged,   // the scaled gradient stayed large: not a result
  kNotComparable,  // no fit's status: of a comparison that cannot be made
};
std::string_view name(FitStatus status);  // "converged", "at_bound", ...
// theta describes the data (converged, at bound, or interpolating): a curve may be drawn.
bool has_curve(FitStatus status);

struct FitResult {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;            // one sentence for people; empty when converged
  std::vector<double> theta;  // see law.h
  double objective = 0;  // robust: sum of weight Huber(r); least squares: residual sum of squares
  double scaled_gradient =
      0;  // largest |sum of contributions| / sum of |contributions|; 0 is exact
  int starts = 0, starts_at_best = 0;
};

// Below 1e-6 of the contributions' size the gradient is zero to what the optimum needs: the error
// of the objective is of its square.
inline constexpr double kGradientTolerance = 1e-6;

}  // namespace scalelaw
