// Two constants of a fitted FormulaLaw together: a floor and an exponent correlate at .9 and more,
// and the box of their two intervals holds pairs that no fit has.
#pragma once

#include <cstddef>
#include <vector>

#include "analysis/fitting/formula_intervals.h"

namespace scalelaw {

struct JointContour {
  std::size_t first = 0, second = 0;  // of the law's constants
  double correlation = 0;             // of their search coordinates at the optimum
  std::vector<double> x, y;  // of first and second, around the optimum; not closed by repetition
  // How far the set reaches along either, the other refitted too. Where there is no end, points lie
  // where the search stopped: at the range's end, or a factor of 1e15 away.
  OpenInterval first_reach, second_reach;
  int unconverged = 0;  // refits of rays that stopped early, counted as inside
  bool bounded() const { return first_reach.bounded() && second_reach.bounded(); }
};

inline constexpr int kContourPoints = 48;

// Edges on rays from the optimum, evenly spread where the Gauss-Newton matrix is the identity, the
// other constants refitted: what lies behind a turn of the set, as seen from there, is not
// followed; first_reach and second_reach hold it. `fit` is of `kind` kGaussianLn or kGaussian, has
// a curve and both constants free of their ranges' ends. Empty where the rows do not determine one
// of the two.
JointContour joint_contour(const FormulaLaw& law, const FormulaData& data, ErrorKind kind,
                           const FormulaFit& fit, std::size_t first, std::size_t second,
                           double allowed_rise);

// 2 F(2, residual_df) at `level` times the residual variance of a least-squares fit.
double joint_rise(const FormulaFit& fit, double level);

}  // namespace scalelaw
