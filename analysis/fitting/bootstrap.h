// Bootstrap over clusters (runs, or sizes): each replicate draws as many clusters as there are,
// with replacement, and refits with the counts as weights. A replicate's random stream follows
// from its index alone, so the number of threads changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "analysis/fitting/interval.h"

namespace scalelaw {

struct BootstrapOptions {
  int replicates = 2000;
  uint64_t seed = 1;
  int threads = 1;
};

// What a refit with these row weights gives.
struct Replicate {
  enum class Outcome { kFitted, kStuck, kDegenerate };  // stuck: not converged
  Outcome outcome = Outcome::kDegenerate;
  std::vector<double> statistics;  // the same length for all that are kFitted
};

struct BootstrapResult {
  std::vector<std::vector<double>> fitted;  // statistics of the fitted replicates, by index
  int replicates = 0, stuck = 0, degenerate = 0;

  // Statistic `which` at a quantile (linear between order statistics); nullopt below 100
  // replicates.
  std::optional<double> quantile(int which, double share) const;
  std::optional<Interval> interval(int which, double level) const;  // percentiles, equal tails
};

// Counts of a replicate: entry c says how often cluster c was drawn.
std::vector<int> bootstrap_counts(int clusters, uint64_t seed, int replicate);

// cluster[i] in [0, clusters) is the cluster of row i; `refit` gets one weight a row and is called
// from several threads.
BootstrapResult bootstrap(std::span<const int> cluster, int clusters,
                          const BootstrapOptions& options,
                          const std::function<Replicate(std::span<const double>)>& refit);

}  // namespace scalelaw
