// Simulated IsoFLOP grids on a known surface.
#pragma once

#include <cmath>
#include <random>
#include <vector>

#include "analysis/frontier/frontier_data.h"
#include "analysis/frontier/surface_frontier.h"

namespace scalelaw {

struct KnownSurface {
  double e = 1.81686, a = 482.01, alpha = .34781, b = 2085.43, beta = .36585;
  double outer = 1;  // of both terms together; 1: L(N, D) of chinchilla_law()
  double exponent() const { return beta / (alpha + beta); }
  double loss(double n, double d) const {
    return e + std::pow(a * std::pow(n, -alpha) + b * std::pow(d, -beta), outer);
  }
  double best_loss(double c) const { return loss(best_n(c), c / 6 / best_n(c)); }
  // Whatever the outer exponent: it moves no minimum.
  double best_n(double c) const {
    return std::pow(alpha * a / (beta * b), 1 / (alpha + beta)) * std::pow(c / 6, exponent());
  }
};

struct GridDesign {
  KnownSurface surface;
  std::vector<double> budgets = {1e18, std::pow(10, 18.75), std::pow(10, 19.5), std::pow(10, 20.25),
                                 1e21};
  int sizes = 7;
  double factor = 2;  // between sizes
  // The middle size over N*: at the least budget and at the largest, a power of C between.
  double first_centre = 1, last_centre = 1;
  double noise = .002;      // sd of ln L
  double noise_growth = 1;  // of that sd, from the smallest budget to the largest
};

inline FrontierData draw_grid(const GridDesign& design, std::mt19937_64& random) {
  FrontierData data;
  data.source = "simulated";
  std::normal_distribution<double> normal;
  const double span = std::log(design.budgets.back() / design.budgets.front());
  for (const double c : design.budgets) {
    const double share = span > 0 ? std::log(c / design.budgets.front()) / span : 0;
    const double centre = design.surface.best_n(c) * design.first_centre *
                          std::pow(design.last_centre / design.first_centre, share);
    const double sd = design.noise * std::pow(design.noise_growth, share);
    for (int i = 0; i < design.sizes; ++i) {
      const double n = centre * std::pow(design.factor, i - (design.sizes - 1) / 2.0);
      const double d = c / (6 * n);
      data.points.push_back({n, d, c, design.surface.loss(n, d) * std::exp(sd * normal(random)),
                             static_cast<int>(data.points.size())});
    }
  }
  return data;
}

}  // namespace scalelaw
