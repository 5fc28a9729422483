// How far the constants of a fitted FormulaLaw, and what it gives elsewhere, may lie from the fit.
// An interval may have one end, or none: then no "+-" may be printed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/formula_fit.h"

namespace scalelaw {

struct OpenInterval {
  double low = 0, high = 0;  // where there is no end: the end of the range
  bool low_bounded = false, high_bounded = false;
  int unconverged = 0;  // refits that stopped early, counted as inside: may be too wide
  bool bounded() const { return low_bounded && high_bounded; }
};

// What may be without the fit being significantly worse: a least-squares fit's half sum of squares
// may rise by allowed_rise / 2.
class FormulaProfile {
 public:
  // `fit` is of `kind` kGaussianLn or kGaussian, and has a curve.
  FormulaProfile(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                 const FormulaFit& fit, double allowed_rise);

  // Of one constant, the others refitted.
  OpenInterval constant(std::size_t which) const;
  // Of what the law gives at a row: the values that the curve may be bent through.
  OpenInterval value_at(const std::vector<double>& row) const;

 private:
  const FormulaLaw& law_;
  const FormulaData& data_;
  ErrorKind kind_;
  std::optional<FormulaDerivatives> derivatives_;
  const FormulaFit& fit_;
  double allowed_;
};

// F(1, residual_df) at `level` times the residual variance of a least-squares fit.
double gaussian_rise(const FormulaFit& fit, double level);
// Where nothing is left to measure noise by: of an assumed standard deviation.
double assumed_rise(double sigma, double level);

enum class CovarianceKind { kGaussNewton, kSandwich };

// By Student's t over search coordinates: Gauss-Newton's matrix and the residual variance (least
// squares alone), or the sandwich over clusters (Huber 1967; Liang & Zeger 1986, times
// G/(G-1) (n-1)/(n-k)), df residual_df or clusters - 1. Constants at a bound or undetermined have
// neither end. Huber's F curves inside delta alone, so these rows must be three for each constant.
struct NormalIntervals {
  std::vector<OpenInterval> constants;  // empty where refused
  std::string refused;                  // why, in a sentence
};
NormalIntervals normal_intervals(const FormulaObjective& objective, const FormulaFit& fit,
                                 CovarianceKind kind, const std::vector<int>& cluster, int clusters,
                                 double level);

struct FormulaBootstrap {
  BootstrapResult result;  // of each replicate: the constants, then the values at `rows`
  std::vector<OpenInterval> constants, values;  // empty below 100 fitted replicates
};

// cluster[i] in [0, clusters) is the cluster of row i. Without `by_newton` each replicate takes the
// slow way of formula_refine.h, to the same optima.
FormulaBootstrap bootstrap_formula(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                                   const FormulaFit& fit, const std::vector<int>& cluster,
                                   int clusters, const std::vector<std::vector<double>>& rows,
                                   const BootstrapOptions& options, double level,
                                   bool by_newton = true);

}  // namespace scalelaw
