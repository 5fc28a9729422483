// The gradient noise scale from squared gradient norms of two batch sizes: McCandlish et al. 2018
// (arXiv 1812.06162), appendix A.1. Arithmetic alone.
//
//   E |G_B|^2 = |G|^2 + S / B    G_B the gradient of the mean loss of B tokens, |G| the norm of its
//                                expectation, S the trace of its covariance times B
//   B_simple  = S / |G|^2        tokens
//
// What is drawn independently is a window, so S counts what its tokens have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/metrics_row.h"

namespace scalelaw {

// What of a batch is compared with the whole: every eighth window, from the first on.
inline constexpr int64_t kSmallBatchStride = 8;
int64_t small_batch_windows(int64_t batch_windows);  // ceil(B / 8)

// Unbiased estimates; of few measurements either may come out negative.
struct NoiseMoments {
  double grad_sq_norm = 0;       // |G|^2
  double grad_noise_tokens = 0;  // S
  int64_t measurements = 1;      // of which these are the means
};

// One measurement: norms of the gradients of batch_tokens and of small_tokens < batch_tokens of
// them. std::invalid_argument where the sizes are not so.
NoiseMoments noise_moments(double grad_norm, double batch_tokens, double small_grad_norm,
                           double small_tokens);

// S / |G|^2 in tokens; nullopt where |G|^2 is not positive: too few measurements to tell.
std::optional<double> noise_scale_tokens(const NoiseMoments& moments);

// Of a series of measurements: |G|^2 and S averaged apart, then divided.
struct NoiseScale {
  int64_t measurements = 0;
  double grad_sq_norm = 0, grad_noise_tokens = 0;
  std::optional<double> tokens;  // as noise_scale_tokens()
  // Its 95% interval: Fieller's (1954), with Student's t of 4 degrees of freedom on the means
  // of 5 blocks of neighbours, so that entries may depend on those near them. No upper end where
  // |G|^2 is not told from 0 at that level; neither end for fewer than kFewestForInterval entries.
  // Measured coverage: docs/studies/coverage.md.
  std::optional<double> tokens_low, tokens_high;
};
inline constexpr std::size_t kFewestForInterval = 16;

// The entries in the order of their steps, weighted by their measurements; nullopt for none.
std::optional<NoiseScale> noise_scale(std::span<const NoiseMoments> series);
// Of what the lines after update `step` hold.
std::optional<NoiseScale> noise_scale_after(int64_t step, const std::vector<MetricsRow>& rows);

}  // namespace scalelaw
