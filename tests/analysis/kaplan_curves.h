// Training curves whose law is known: K1.6 and K1.4 with Kaplan et al. 2020's constants.
#pragma once

#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/kaplan/chain.h"

namespace scalelaw {

struct KaplanTruth {
  double n_c = 6.5e13, a_n = .077, s_c = 2.1e3, a_s = .76, b_star = 2e8, a_b = .21;
  EfficientExponents exponents() const { return predicted_exponents(a_n, a_s, 1 / a_b); }
  // The loss L at which L = (N_c/N)^a_N + (S_c/S_min)^a_S with S_min = S / (1 + B_crit(L) / B): the
  // right side falls with L.
  double loss(double n, double s, double batch) const {
    double low = .1, high = 100;
    for (int i = 0; i < 100; ++i) {
      const double middle = std::sqrt(low * high);
      const double s_min = s / (1 + b_star / std::pow(middle, 1 / a_b) / batch);
      (std::pow(n_c / n, a_n) + std::pow(s_c / s_min, a_s) > middle ? low : high) = middle;
    }
    return low;
  }
};

struct KaplanDesign {
  KaplanTruth truth;
  int sizes = 11;
  double least_n = 1e5, factor = 4, batch = 524288;
  double warmup = 3000, last_step = 2.5e5;
  int evaluations = 60;                              // log-spaced, after the warm-up
  double run_noise = .002, evaluation_noise = .002;  // sd of ln L
  double noise_growth = 1;  // of run_noise, from the smallest size to the largest
};

inline CurveData draw_curves(const KaplanDesign& design, std::mt19937_64& random) {
  std::normal_distribution<double> normal;
  CurveData data;
  data.source = "simulated";
  for (int i = 0; i < design.sizes; ++i) {
    TrainingCurve& curve = data.curves.emplace_back();
    curve.name = "r" + std::to_string(i);
    curve.n = design.least_n * std::pow(design.factor, i);
    curve.batch = design.batch;
    curve.warmup = design.warmup;
    const double of_run = design.run_noise * normal(random) *
                          std::pow(design.noise_growth, i / std::max(1., design.sizes - 1.));
    // Two evaluations of the warm-up, of a loss that no law tells.
    for (const double step : {10., 1000.}) {
      curve.step.push_back(step);
      curve.loss.push_back(11);
    }
    for (int k = 1; k <= design.evaluations; ++k) {
      const double step = design.warmup * std::pow(design.last_step / design.warmup,
                                                   double(k) / design.evaluations);
      curve.step.push_back(step);
      curve.loss.push_back(design.truth.loss(curve.n, step, design.batch) *
                           std::exp(of_run + design.evaluation_noise * normal(random)));
    }
  }
  return data;
}

}  // namespace scalelaw
