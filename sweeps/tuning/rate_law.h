// What scans of the learning rate say of sizes that were not scanned: a correction of the file's
// own rate,
//
//   rate = file's rate * factor * (N / n)^exponent_n * (D / d)^exponent_d
//
// by least squares in logs. Where the file's rate is one number for all, that is the usual
// c N^a D^b; where it is a law, the trials check it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace scalelaw {

// Three different N, or D, are the least that an exponent is taken from.
inline constexpr std::size_t kSizesForExponent = 3;

// Different ones of them, up to a ladder's rounding.
std::size_t different_sizes(std::vector<double> sizes);

// One scan's optimum.
struct RatePoint {
  double n_params = 0;      // N, non_embedding
  double train_tokens = 0;  // D
  double file_rate = 0, best_rate = 0;
};

struct RateLaw {
  double factor = 1;    // at n and d
  double n = 0, d = 0;  // geometric means of the points
  // D's beside N's only where the points tell the two apart.
  std::optional<double> exponent_n, exponent_d;
  // By the residuals; nullopt where none are left over.
  std::optional<double> standard_error_n, standard_error_d;
  double lowest_n = 0, highest_n = 0, lowest_d = 0, highest_d = 0;
  int points = 0;

  // Of three significant digits.
  double rate_at(double file_rate, double n_params, double train_tokens) const;
};

// nullopt without a point.
std::optional<RateLaw> fit_rate_law(const std::vector<RatePoint>& points);

// "file's rate * 1.3 (N / 12k)^-0.21 (+-0.05)"
std::string formula(const RateLaw& law);

}  // namespace scalelaw
