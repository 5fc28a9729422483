// Approach 1 of Hoffmann et al. 2022: at each of many log-spaced budgets the run whose loss curve
// is lowest there, and the line of ln N of those runs against ln C.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/frontier/frontier_data.h"

namespace scalelaw {

struct EnvelopeOptions {
  int budgets = 1500;
  int draws = 200;  // of runs, for the spread of the exponent
  uint64_t seed = 1;
};

struct EnvelopePlace {
  double ln_c = 0, ln_n = 0, ln_loss = 0;
};

struct Envelope {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  std::vector<EnvelopePlace> places;  // all budgets that a curve reaches
  int runs = 0, sizes = 0;            // on the line: of sizes that are not the least or the largest
  // Budgets at which the least or the largest size is lowest: bounds, not on the line.
  int at_least_size = 0, at_largest_size = 0;
  double least_budget = 0, most_budget = 0;  // of those on the line
  double exponent = 0, centre_ln_c = 0, ln_n_at_centre = 0;
  std::optional<double> spread;  // sd of the exponent over draws of runs
  double ln_n(double ln_c) const { return ln_n_at_centre + exponent * (ln_c - centre_ln_c); }
  // Of the lowest curve; nullopt outside all curves.
  std::optional<double> ln_loss(double ln_c) const;
};

Envelope envelope(std::span<const LossCurve> curves, const EnvelopeOptions& options);

}  // namespace scalelaw
