// N* = G C^a through the minima of IsoFLOP curves, and L*(C) through their losses.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"

namespace scalelaw {

struct SizePoint {
  double ln_c = 0, ln_n = 0;
  double error = 0;  // one standard deviation of ln_n; 0: not known
};

// What the errors of a line rest on.
enum class LineErrors {
  kNone,     // two budgets, and errors of the minima are not known
  kNoise,    // the minima's own errors, carried through
  kScatter,  // of the minima about the line
};

struct SizeLaw {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  int budgets = 0;
  double exponent = 0, centre_ln_c = 0, ln_n_at_centre = 0;
  LineErrors errors = LineErrors::kNone;
  // Of the exponent, of the level at the centre, and their covariance; df of Student's t.
  double exponent_variance = 0, level_variance = 0, covariance = 0;
  double df = 0;
  // Root mean square of (ln N* - line) / error, less the two parameters; 0: not known.
  double scatter_ratio = 0;

  double ln_n(double ln_c) const { return ln_n_at_centre + exponent * (ln_c - centre_ln_c); }
  double error_at(double ln_c) const;  // of ln_n
  double coefficient() const;          // G
};

// `weighted`: by 1 / error^2, where all errors are known. `noise_df` of those errors; 0: they are
// taken for exact, or not known. Needs two distinct budgets.
SizeLaw fit_size_law(std::span<const SizePoint> points, bool weighted, double noise_df);

struct LossPoint {
  double c = 0, loss = 0;
  double error = 0;  // one standard deviation of ln loss
};

// L*(C) = E + K C^-g, or without E where the data ask for none; least squares in ln L.
class LossLaw {
 public:
  explicit LossLaw(std::vector<LossPoint> points);
  FitStatus status() const { return status_; }
  double ln_loss(double c) const;   // needs a curve
  double error_at(double c) const;  // of ln_loss, the points' errors carried through

 private:
  double fitted(const std::vector<LossPoint>& points, double c) const;
  std::vector<LossPoint> points_;
  FitStatus status_ = FitStatus::kTooFewPoints;
  FitData data_;
  FitResult fit_;
};

}  // namespace scalelaw
