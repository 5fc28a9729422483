#include "analysis/frontier/akima.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace scalelaw {
namespace {

// At each point; `m` holds the segments' slopes, two more at either end.
std::vector<double> slopes_at_points(const std::vector<double>& m) {
  // Below this share of the largest bend both weights are rounding, and the mean stands for them.
  constexpr double kFlat = 1e-9;
  double largest = 0;
  for (std::size_t i = 0; i + 1 < m.size(); ++i) {
    largest = std::max(largest, std::abs(m[i + 1] - m[i]));
  }
  std::vector<double> slopes;
  for (std::size_t i = 0; i + 3 < m.size(); ++i) {
    const double right = std::abs(m[i + 3] - m[i + 2]), left = std::abs(m[i + 1] - m[i]);
    slopes.push_back(right + left > 2 * kFlat * largest
                         ? (right * m[i + 1] + left * m[i + 2]) / (right + left)
                         : 0.5 * (m[i + 1] + m[i + 2]));
  }
  return slopes;
}

}  // namespace

AkimaCurve::AkimaCurve(std::span<const double> x, std::span<const double> y)
    : x_(x.begin(), x.end()) {
  assert(x.size() >= 3 && x.size() == y.size());
  const std::size_t segments = x.size() - 1;
  std::vector<double> m(segments + 4);
  for (std::size_t i = 0; i < segments; ++i) m[i + 2] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
  m[1] = 2 * m[2] - m[3];
  m[0] = 2 * m[1] - m[2];
  m[segments + 2] = 2 * m[segments + 1] - m[segments];
  m[segments + 3] = 2 * m[segments + 2] - m[segments + 1];
  const std::vector<double> slope = slopes_at_points(m);
  for (std::size_t i = 0; i < segments; ++i) {
    const double h = x[i + 1] - x[i], mean = m[i + 2];
    pieces_.push_back({y[i], slope[i], (3 * mean - 2 * slope[i] - slope[i + 1]) / h,
                       (slope[i] + slope[i + 1] - 2 * mean) / (h * h)});
  }
}

double AkimaCurve::at(double x) const {
  const auto after = std::upper_bound(x_.begin() + 1, x_.end() - 1, x);
  const auto i = static_cast<std::size_t>(after - x_.begin()) - 1;
  return pieces_[i].value(x - x_[i]);
}

AkimaCurve::Point AkimaCurve::minimum() const {
  Point best{x_.front(), pieces_.front().y};
  const auto consider = [&](double x, double y) {
    if (y < best.y) best = {x, y};
  };
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const Piece& p = pieces_[i];
    const double h = x_[i + 1] - x_[i];
    consider(x_[i + 1], p.value(h));
    const double inside = p.c * p.c - 3 * p.d * p.b;
    if (inside < 0) continue;
    // The root with the sum of equal signs is exact; the other follows from their product.
    const double q = -(p.c + std::copysign(std::sqrt(inside), p.c));
    for (const double t : {q / (3 * p.d), p.b / q}) {
      if (t > 0 && t < h) consider(x_[i] + t, p.value(t));
    }
  }
  return best;
}

}  // namespace scalelaw
