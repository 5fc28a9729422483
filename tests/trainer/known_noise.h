// Measurements whose noise scale is known: gradients drawn from a normal distribution of a given
// mean and diagonal covariance.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "trainer/noise_scale.h"

namespace scalelaw {

// Of a model of kParameters: parameter i's gradient has mean 0.1 and, of one token, variance i + 1.
class KnownNoise {
 public:
  static constexpr int kParameters = 24;
  static constexpr double kBatch = 1024, kSmall = 128;  // tokens
  explicit KnownNoise(uint64_t seed) : random_(seed) {}

  static double grad_sq_norm() { return kParameters * 0.01; }
  static double grad_noise_tokens() { return kParameters * (kParameters + 1) / 2.0; }
  static double scale_tokens() { return grad_noise_tokens() / grad_sq_norm(); }

  // The small batch is a part of the batch, as in training.
  NoiseMoments measure() {
    const double share = kSmall / kBatch;
    double small = 0, whole = 0;
    for (int i = 0; i < kParameters; ++i) {
      const double part = mean_of(kSmall, i);
      const double all = share * part + (1 - share) * mean_of(kBatch - kSmall, i);
      small += part * part;
      whole += all * all;
    }
    return noise_moments(std::sqrt(whole), kBatch, std::sqrt(small), kSmall);
  }
  // `correlation`: of neighbours' deviations from the truth, an autoregression of first order.
  std::vector<NoiseMoments> series(int measurements, double correlation = 0) {
    std::vector<NoiseMoments> all;
    const double fresh = std::sqrt(1 - correlation * correlation);
    for (int i = 0; i < measurements; ++i) {
      const NoiseMoments now = measure();
      if (i == 0) {
        all.push_back(now);
        continue;
      }
      const auto follow = [&](double before, double next, double truth) {
        return truth + correlation * (before - truth) + fresh * (next - truth);
      };
      const NoiseMoments& last = all.back();
      all.push_back({follow(last.grad_sq_norm, now.grad_sq_norm, grad_sq_norm()),
                     follow(last.grad_noise_tokens, now.grad_noise_tokens, grad_noise_tokens())});
    }
    return all;
  }

 private:
  double mean_of(double tokens, int i) {
    return 0.1 + std::sqrt((i + 1) / tokens) * normal_(random_);
  }
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
};

}  // namespace scalelaw
