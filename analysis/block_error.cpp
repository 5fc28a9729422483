#include "analysis/block_error.h"

#include <cassert>

namespace scalelaw {
namespace {

// Deviation of each block's mean from the mean of all, times the block's share of the windows.
std::vector<double> block_deviations(std::span<const double> series) {
  const std::size_t n = series.size();
  double mean = 0;
  for (const double value : series) mean += value / static_cast<double>(n);
  std::vector<double> deviations;
  for (std::size_t b = 0; b < kBlocks; ++b) {
    double sum = 0;
    for (std::size_t i = b * n / kBlocks; i < (b + 1) * n / kBlocks; ++i) sum += series[i] - mean;
    deviations.push_back(sum / static_cast<double>(n));
  }
  return deviations;
}

}  // namespace

std::optional<double> block_covariance_of_means(std::span<const double> one,
                                                std::span<const double> two) {
  assert(one.size() == two.size());
  if (one.size() < kFewestWindowsForBlocks) return std::nullopt;
  const std::vector<double> a = block_deviations(one), b = block_deviations(two);
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += a[k] * b[k];
  return sum * kBlocks / (kBlocks - 1);
}

std::optional<double> block_variance_of_mean(std::span<const double> series) {
  return block_covariance_of_means(series, series);
}

}  // namespace scalelaw
