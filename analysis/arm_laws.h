// The laws of one arm at one D: loss against N by one convention.
//
// Statistics are of ln L. Seeds of one size are averaged first (a cell): with noise between sizes
// the runs of a size are not independent, and tests on runs reject far too often. The headline
// slope is least squares on cell means with Student's t; the robust fit and the bootstrap over runs
// stand beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/profile.h"
#include "analysis/run_table.h"

namespace scalelaw {

inline constexpr int kFewestSizesForPowerLaw = 3;
inline constexpr int kFewestSizesForFloor = 4;
// Below this many clusters a bootstrap's interval is too narrow to head a table.
inline constexpr int kFewestBootstrapClusters = 12;
// Largest Huber delta, in residual standard deviations, whose likelihood ratio gives a set of E:
// at 1.345 and eight sizes a nominal 95% set covers 70%.
inline constexpr double kLargestProfiledDelta = 0.3;

struct LawOptions {
  Selection selection;
  uint64_t seed = 1;
  int bootstrap_replicates = 2000;
  int threads = 1;
  double level = 0.95;
};

struct Interval {
  double low = 0, high = 0;
  bool contains(double value) const { return low <= value && value <= high; }
};

// All runs of one recipe: they differ in seeds alone.
struct SizeCell {
  double n = 0;
  double mean_ln_loss = 0;
  std::vector<double> ln_losses;  // one a seed
  std::vector<std::size_t> rows;  // in the table, the same order
  int seeds() const { return static_cast<int>(ln_losses.size()); }
};

// Spread of ln L between seeds of one size, pooled over sizes that have several; df 0: unknown.
struct SeedNoise {
  double sd_ln_loss = 0;
  int df = 0;
};

struct LocalSlope {
  double n_low = 0, n_high = 0;
  double slope = 0;                      // -d ln L / d ln N between the two cells
  std::optional<double> standard_error;  // from seed noise, where it is known
};

// L = (N_c / N)^a.
struct PowerLawFit {
  FitStatus status = FitStatus::kTooFewPoints;
  std::string why;
  double slope = 0, slope_standard_error = 0;
  Interval slope_interval;  // t on cell means; meaningful when df > 0
  double n_c = 0;
  int sizes = 0, runs = 0, df = 0;  // df = sizes - 2
  double residual_sd = 0;           // of cell means, ln L
  double centre_ln_n = 0, centre_ln_loss = 0, centre_standard_error = 0;
  // Quadratic term in ln N: above 0 the slope falls with N. p of its t test; nullopt below 4 sizes.
  std::optional<double> curvature, curvature_p;
  // Huber fit on runs; delta = 1.345 robust standard deviations.
  FitStatus robust_status = FitStatus::kTooFewPoints;
  double robust_slope = 0, huber_delta = 0;
  std::optional<Interval> bootstrap_interval;  // of robust_slope
  bool bootstrap_by_size = false;              // else by run
  int bootstrap_replicates = 0, bootstrap_stuck = 0, bootstrap_degenerate = 0;

  double ln_loss_at(double n) const;
  double standard_error_at(double n) const;  // of the fitted line, ln L
};

// L = E + A N^-alpha on cell means.
struct FloorFit {
  FitResult least_squares;  // in ln L
  FitResult huber;
  double huber_delta = 0;
  LogCentre centre;
  ProfileInterval floor;
  // Where huber_delta is far enough below the residual sd for a likelihood ratio to hold.
  std::optional<ProfileInterval> floor_huber;
  double e() const;  // of the least-squares fit
  // alpha at the ends of E's set (E = 0 where it is not bounded below).
  std::optional<Interval> alpha_over_set;
};

struct ArmLaws {
  std::string arm;
  NCount n_count = NCount::kNonEmbedding;
  std::vector<SizeCell> cells;  // by n, ascending
  SeedNoise seed_noise;
  std::vector<LocalSlope> local_slopes;
  PowerLawFit power;
  FloorFit floor;
  double decades() const;  // log10 of the largest n over the smallest
};

ArmLaws fit_arm(const RunTable& table, const std::string& arm, NCount n_count,
                const LawOptions& options);
SeedNoise pooled_seed_noise(const std::vector<const ArmLaws*>& arms);

}  // namespace scalelaw
