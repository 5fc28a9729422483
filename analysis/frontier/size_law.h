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
  double df = 0;     // of that error; 0: it is exact
};

// Errors of points, and whether they are one estimate of noise or one each.
enum class NoiseSource { kOneForAll, kEachItsOwn };

// What the errors of a line rest on.
enum class LineErrors {
  kNone,     // two budgets, and errors of the minima are not known
  kNoise,    // the minima's own errors, carried through
  kScatter,  // of the minima about the line
};

// Student's t at a two-sided level times the root of a sum of variances, its degrees of freedom
// Satterthwaite's where each part was estimated by itself.
struct ReachPart {
  double variance = 0, df = 0;  // df 0: exact
};
double reach_of(std::span<const ReachPart> parts, NoiseSource source, double level);

struct SizeLaw {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  int budgets = 0;
  double exponent = 0, centre_ln_c = 0, ln_n_at_centre = 0;
  LineErrors errors = LineErrors::kNone;
  NoiseSource source = NoiseSource::kOneForAll;
  // Of each independent error: how it moves the level at the centre and the exponent.
  struct Part {
    double of_level = 0, of_exponent = 0, variance = 0, df = 0;
  };
  std::vector<Part> parts;
  // Root mean square of (ln N* - line) / error, less the two parameters; 0: not known.
  double scatter_ratio = 0;

  double ln_n(double ln_c) const { return ln_n_at_centre + exponent * (ln_c - centre_ln_c); }
  double coefficient() const;  // G
  // Half of an interval's width; needs errors.
  double exponent_reach(double level) const;
  double reach_at(double ln_c, double level) const;  // of ln_n
};

// `weighted`: by 1 / error^2, where all errors are known. Needs two distinct budgets.
SizeLaw fit_size_law(std::span<const SizePoint> points, bool weighted,
                     NoiseSource source = NoiseSource::kOneForAll);

struct LossPoint {
  double c = 0, loss = 0;
  double error = 0;  // one standard deviation of ln loss
  double df = 0;     // of that error; 0: it is exact
};

// L*(C) = E + K C^-g, or without E where the data ask for none; least squares in ln L.
class LossLaw {
 public:
  explicit LossLaw(std::vector<LossPoint> points);
  FitStatus status() const { return status_; }
  double ln_loss(double c) const;  // needs a curve
  // Of ln_loss, the points' errors carried through.
  double reach_at(double c, NoiseSource source, double level) const;

 private:
  double fitted(const std::vector<LossPoint>& points, double c) const;
  std::vector<LossPoint> points_;
  FitStatus status_ = FitStatus::kTooFewPoints;
  FitData data_;
  FitResult fit_;
};

}  // namespace scalelaw
