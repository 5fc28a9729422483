// Covariance of the constants of L(N, D) by a bootstrap over the rows of Hoffmann's kind of fit.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "analysis/fitting/bootstrap.h"
#include "analysis/fitting/robust_refine.h"

namespace scalelaw {

// Of theta, with the Huber loss of delta 1e-3.
inline BootstrapResult bootstrapped(const FitData& data, const FitResult& best, int replicates,
                                    int threads) {
  std::vector<int> cluster(data.rows());
  for (std::size_t i = 0; i < cluster.size(); ++i) cluster[i] = static_cast<int>(i);
  return bootstrap(cluster, static_cast<int>(cluster.size()),
                   {.replicates = replicates, .seed = 1, .threads = threads},
                   [&](std::span<const double> weights) {
                     FitData replicate = data;
                     replicate.weight.assign(weights.begin(), weights.end());
                     const FitResult fit = refine(chinchilla_law(), replicate, best.theta, {});
                     return Replicate{fit.status == FitStatus::kConverged
                                          ? Replicate::Outcome::kFitted
                                          : Replicate::Outcome::kStuck,
                                      fit.theta};
                   });
}

// Means of products about the mean, by rows of the lower triangle.
inline std::array<double, 15> covariance_of(const std::vector<std::vector<double>>& draws) {
  std::array<double, 5> mean = {};
  const auto count = static_cast<double>(draws.size());
  for (const auto& draw : draws) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += draw[i] / count;
  }
  std::array<double, 15> lower = {};
  for (const auto& draw : draws) {
    std::size_t next = 0;
    for (std::size_t i = 0; i < mean.size(); ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        lower[next++] += (draw[i] - mean[i]) * (draw[j] - mean[j]) / (count - 1);
      }
    }
  }
  return lower;
}

}  // namespace scalelaw
