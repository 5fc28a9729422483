// The laws of one arm at one D: loss against N by one convention.
//
// The headline slope is weighted least squares on cell means (size_cells.h) with Student's t; the
// robust fit and the bootstrap over runs stand beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/evaluation_error.h"
#include "analysis/floor_fit.h"
#include "analysis/run_clusters.h"
#include "analysis/run_table.h"
#include "analysis/size_cells.h"

namespace scalelaw {

struct LawOptions {
  Selection selection;
  uint64_t seed = 1;
  int bootstrap_replicates = 2000;
  int threads = 1;
  double level = 0.95;
  // Compute of whole runs, FLOPs by exact_causal, at which a comparison states its gain; none: ends
  // and middle of what both arms cover.
  std::vector<double> gain_at = {};
  // Margin of slopes within which a comparison tests for equivalence.
  std::optional<double> equivalent_within = std::nullopt;
  BootstrapOptions bootstrap() const {
    return {.replicates = bootstrap_replicates, .seed = seed, .threads = threads};
  }
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
  double slope = 0, slope_standard_error = 0;  // residual scatter and test text
  Interval slope_interval;                     // t on cell means; meaningful when df > 0
  double n_c = 0;
  std::optional<Interval>
      n_c_interval;  // Fieller's set for ln L = 0; nullopt: unbounded, or above 1e308
  int sizes = 0, runs = 0, df = 0;  // df = sizes - 2, of the residual scatter
  // Of the slope's standard error, and used for the level's and N_c's: Satterthwaite's of the
  // residual scatter (df) and the test text (kBlockDf).
  double interval_df = 0;
  double residual_sd = 0;  // of cell means, ln L
  WeightedLine line;       // ln L against ln N; its slope is -slope
  // Of the level at the line's centre, with the test text's part; and its covariance with the
  // slope, which the text alone gives.
  double centre_standard_error = 0, centre_slope_covariance = 0;
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

// The line and its intervals alone, on cells that are weighed.
PowerLawFit fit_line_of(const std::vector<SizeCell>& cells,
                        const std::vector<WindowSeries>& windows, double level);

struct ArmLaws {
  std::string arm;
  NCount n_count = NCount::kNonEmbedding;
  std::string left_out;         // which runs this count of N cannot use, and why; "": none
  std::vector<SizeCell> cells;  // by n, ascending
  // Losses of the cells on the windows of the test text; empty where they are not known of every
  // arm.
  std::vector<WindowSeries> windows;
  CellNoise noise;  // of all arms that were fitted together
  std::vector<LocalSlope> local_slopes;
  PowerLawFit power;
  FloorFit floor;
  double decades() const;  // log10 of the largest n over the smallest
};

// Every arm of the table, in order of first appearance; they share one estimate of noise. Runs
// without parameters by this count, and arms with several recipes of one N, are left out of it: the
// arm then says so and may have no cells.
std::vector<ArmLaws> fit_arms(const RunTable& table, NCount n_count, const LawOptions& options);

}  // namespace scalelaw
