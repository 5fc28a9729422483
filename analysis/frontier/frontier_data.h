// What a compute-optimal frontier is found from: runs as points (N, D, C, L), their loss curves
// where they are known, and by which conventions N and C count.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"

namespace scalelaw {

struct FrontierPoint {
  double n = 0, d = 0;  // parameters, training tokens
  double c = 0;         // training FLOPs
  double loss = 0;      // > 0
  int run = 0;          // points of equal run are left out, and drawn, together
};

// Loss of one run while it trains; by d, ascending.
struct LossCurve {
  double n = 0;
  int run = 0;
  std::vector<double> d, c, loss;
};

// A minimum that a table gives as it is: somebody else's IsoFLOP curve.
struct GivenOptimum {
  double c = 0, n = 0;
  double d = 0;      // 0: not given
  double error = 0;  // one standard deviation of ln n; 0: not given
};

struct LeftOut {
  std::string what, why;  // "runs.csv, line 7"; "the loss is not above 0"
};

struct FrontierData {
  std::string source;
  std::string n_words, d_words, c_words, loss_words;  // "parameters without embeddings and head"
  std::vector<FrontierPoint> points;                  // of every run its end
  std::vector<LossCurve> curves;                      // empty: not known
  std::vector<GivenOptimum> optima;                   // then there are no points
  std::vector<LeftOut> left_out;
  std::vector<std::string> warnings;  // sentences for people

  int runs() const;
  std::vector<Observation> observations() const;  // of points, in their order
};

// C = k N^(1 + s) D, the way in which these runs' compute depends on size: s is 0 and k 6 where C
// was counted as 6 N D. Least squares of ln(C / (N D)) on ln N.
struct ComputeLaw {
  double ln_k = 0, s = 0;
  double worst = 0;  // largest |ln C - law| of a point
  double ln_d(double ln_c, double ln_n) const { return ln_c - ln_k - (1 + s) * ln_n; }
};
ComputeLaw compute_law(std::span<const FrontierPoint> points);

}  // namespace scalelaw
