#include "trainer/noise_scale.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace scalelaw {
namespace {

constexpr std::size_t kBlocks = 5;
constexpr double kStudentT = 2.7764451051977987;  // .975 quantile at kBlocks - 1

struct Sums {
  double grad_sq_norm = 0, grad_noise_tokens = 0;
  int64_t measurements = 0;

  void add(const NoiseMoments& entry) {
    const auto weight = static_cast<double>(entry.measurements);
    grad_sq_norm += weight * entry.grad_sq_norm;
    grad_noise_tokens += weight * entry.grad_noise_tokens;
    measurements += entry.measurements;
  }
  NoiseMoments mean() const {
    const auto count = static_cast<double>(measurements);
    return {grad_sq_norm / count, grad_noise_tokens / count, measurements};
  }
};

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

Sums sums_of(std::span<const NoiseMoments> series) {
  Sums sums;
  for (const NoiseMoments& entry : series) sums.add(entry);
  return sums;
}

// Variances and covariance of the means, from how the blocks' means scatter about them; each block
// counts by its measurements.
struct Scatter {
  double of_gradient = 0, of_noise = 0, of_both = 0;
};

Scatter scatter_of_blocks(std::span<const NoiseMoments> series, const NoiseMoments& mean) {
  Scatter scatter;
  for (std::size_t i = 0; i < kBlocks; ++i) {
    const std::size_t from = i * series.size() / kBlocks, to = (i + 1) * series.size() / kBlocks;
    const NoiseMoments block = sums_of(series.subspan(from, to - from)).mean();
    const double share =
        static_cast<double>(block.measurements) / static_cast<double>(mean.measurements);
    const double gradient = share * (block.grad_sq_norm - mean.grad_sq_norm);
    const double noise = share * (block.grad_noise_tokens - mean.grad_noise_tokens);
    constexpr double kUnbiased = kBlocks / (kBlocks - 1.0);
    scatter.of_gradient += kUnbiased * gradient * gradient;
    scatter.of_noise += kUnbiased * noise * noise;
    scatter.of_both += kUnbiased * gradient * noise;
  }
  return scatter;
}

// The x for which S - x |G|^2 is within t standard errors of 0: a x^2 - 2 b x + c <= 0.
void add_interval(std::span<const NoiseMoments> series, const NoiseMoments& mean,
                  NoiseScale& scale) {
  constexpr double kSquare = kStudentT * kStudentT;
  const double gradient = mean.grad_sq_norm, noise = mean.grad_noise_tokens;
  const Scatter scatter = scatter_of_blocks(series, mean);
  const double a = gradient * gradient - kSquare * scatter.of_gradient;
  const double b = gradient * noise - kSquare * scatter.of_both;
  const double c = noise * noise - kSquare * scatter.of_noise;
  const double root = std::sqrt(std::max(0.0, b * b - a * c));
  if (a > 0 && gradient > 0) {
    scale.tokens_low = finite((b - root) / a);
    scale.tokens_high = finite((b + root) / a);
  } else if (a < 0 && noise > 0 && c > 0) {
    scale.tokens_low = finite((b - root) / a);  // the positive root; beyond it all x belong
  }
}

}  // namespace

int64_t small_batch_windows(int64_t batch_windows) {
  return (batch_windows + kSmallBatchStride - 1) / kSmallBatchStride;
}

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

std::optional<NoiseScale> noise_scale(std::span<const NoiseMoments> series) {
  const Sums sums = sums_of(series);
  if (sums.measurements < 1) return std::nullopt;
  const NoiseMoments mean = sums.mean();
  NoiseScale scale{mean.measurements,
                   mean.grad_sq_norm,
                   mean.grad_noise_tokens,
                   noise_scale_tokens(mean),
                   {},
                   {}};
  if (series.size() >= kFewestForInterval) add_interval(series, mean, scale);
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
