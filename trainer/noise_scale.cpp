#include "trainer/noise_scale.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

namespace scalelaw {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

struct Mean {
  double grad_sq_norm = 0, grad_noise_tokens = 0;  // sums
  int64_t measurements = 0;

  void add(const NoiseMoments& entry) {
    const auto weight = static_cast<double>(entry.measurements);
    grad_sq_norm += weight * entry.grad_sq_norm;
    grad_noise_tokens += weight * entry.grad_noise_tokens;
    measurements += entry.measurements;
  }
  NoiseMoments value() const {
    const auto count = static_cast<double>(measurements);
    return {grad_sq_norm / count, grad_noise_tokens / count, measurements};
  }
};

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

// Ascending.
std::vector<double> resampled_ratios(std::span<const NoiseMoments> series,
                                     const NoiseScaleOptions& options) {
  const std::size_t entries = series.size();
  const auto block = static_cast<std::size_t>(std::lround(std::cbrt(entries)));
  std::mt19937_64 random(options.seed);
  std::vector<double> ratios;
  for (int i = 0; i < options.resamples; ++i) {
    Mean mean;
    std::size_t place = 0;
    for (std::size_t drawn = 0; drawn < entries; ++drawn, ++place) {
      if (drawn % block == 0) place = random() % entries;
      mean.add(series[place % entries]);
    }
    ratios.push_back(noise_scale_tokens(mean.value()).value_or(kInfinite));
  }
  std::ranges::sort(ratios);
  return ratios;
}

}  // namespace

NoiseMoments noise_moments(double grad_norm, double batch_tokens, double small_grad_norm,
                           double small_tokens) {
  if (!(small_tokens > 0 && small_tokens < batch_tokens)) {
    throw std::invalid_argument("the noise scale needs two batch sizes");
  }
  const double large = grad_norm * grad_norm, small = small_grad_norm * small_grad_norm;
  return {(batch_tokens * large - small_tokens * small) / (batch_tokens - small_tokens),
          (small - large) / (1 / small_tokens - 1 / batch_tokens)};
}

std::optional<double> noise_scale_tokens(const NoiseMoments& moments) {
  if (!(moments.grad_sq_norm > 0)) return std::nullopt;
  return finite(moments.grad_noise_tokens / moments.grad_sq_norm);
}

std::optional<NoiseScale> noise_scale(std::span<const NoiseMoments> series,
                                      const NoiseScaleOptions& options) {
  Mean sums;
  for (const NoiseMoments& entry : series) sums.add(entry);
  if (sums.measurements < 1) return std::nullopt;
  const NoiseMoments mean = sums.value();
  NoiseScale scale{mean.measurements,
                   mean.grad_sq_norm,
                   mean.grad_noise_tokens,
                   noise_scale_tokens(mean),
                   {},
                   {}};
  if (series.size() < kFewestForInterval) return scale;
  const std::vector<double> ratios = resampled_ratios(series, options);
  const auto quantile = [&](double share) {
    const auto last = static_cast<double>(ratios.size() - 1);
    return ratios[static_cast<std::size_t>(std::lround(share * last))];
  };
  scale.tokens_low = finite(quantile((1 - options.level) / 2));
  scale.tokens_high = finite(quantile((1 + options.level) / 2));
  return scale;
}

std::optional<NoiseScale> noise_scale_after(int64_t step, const std::vector<MetricsRow>& rows) {
  std::vector<NoiseMoments> series;
  for (const MetricsRow& row : rows) {
    if (row.step <= step || !row.noise_measurements) continue;
    series.push_back(
        {row.grad_sq_norm.value_or(0), row.grad_noise_tokens.value_or(0), *row.noise_measurements});
  }
  return noise_scale(series);
}

}  // namespace scalelaw
