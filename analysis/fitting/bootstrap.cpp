#include "analysis/fitting/bootstrap.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace scalelaw {
namespace {

// SplitMix64 (Steele, Lea & Flood 2014): the same numbers with every standard library.
uint64_t mix(uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::vector<int> bootstrap_counts(int clusters, uint64_t seed, int replicate) {
  uint64_t state = seed;
  state = mix(state) ^ (static_cast<uint64_t>(replicate) * 0xd1342543de82ef95ULL);
  std::vector<int> counts(static_cast<std::size_t>(clusters), 0);
  for (int draw = 0; draw < clusters; ++draw) {
    // 32 random bits times the count: the bias is below 1e-7 for any number of runs here.
    ++counts[(mix(state) >> 32) * static_cast<uint64_t>(clusters) >> 32];
  }
  return counts;
}

BootstrapResult bootstrap(std::span<const int> cluster, int clusters,
                          const BootstrapOptions& options,
                          const std::function<Replicate(std::span<const double>)>& refit) {
  std::vector<Replicate> replicates(static_cast<std::size_t>(std::max(options.replicates, 0)));
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    std::vector<double> weights(cluster.size());
    for (std::size_t b = next++; b < replicates.size(); b = next++) {
      const std::vector<int> counts = bootstrap_counts(clusters, options.seed, static_cast<int>(b));
      for (std::size_t i = 0; i < cluster.size(); ++i) {
        weights[i] = counts[static_cast<std::size_t>(cluster[i])];
      }
      replicates[b] = refit(weights);
    }
  };
  std::vector<std::jthread> threads;
  for (int t = 1; t < options.threads; ++t) threads.emplace_back(work);
  work();
  threads.clear();

  BootstrapResult result;
  result.replicates = static_cast<int>(replicates.size());
  for (Replicate& replicate : replicates) {
    switch (replicate.outcome) {
      case Replicate::Outcome::kFitted:
        result.fitted.push_back(std::move(replicate.statistics));
        break;
      case Replicate::Outcome::kStuck:
        ++result.stuck;
        break;
      case Replicate::Outcome::kDegenerate:
        ++result.degenerate;
        break;
    }
  }
  return result;
}

std::optional<double> BootstrapResult::quantile(int which, double share) const {
  if (fitted.size() < 100) return std::nullopt;
  std::vector<double> values;
  for (const auto& statistics : fitted)
    values.push_back(statistics[static_cast<std::size_t>(which)]);
  std::sort(values.begin(), values.end());
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

std::optional<Interval> BootstrapResult::interval(int which, double level) const {
  const auto low = quantile(which, 0.5 - 0.5 * level), high = quantile(which, 0.5 + 0.5 * level);
  if (!low || !high) return std::nullopt;
  return Interval{*low, *high};
}

}  // namespace scalelaw
