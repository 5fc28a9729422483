#include "analysis/crossing.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {

CrossingSet crossing_set(const TwoLines& lines) {
  // With z = ln N - at_ln_n: difference(z) = d0 - s z, variance(z) = v0 + 2 v1 z + v2 z^2. The set
  // is difference^2 <= t^2 variance, a quadratic q2 z^2 + 2 q1 z + q0 <= 0.
  const double d0 = lines.ln_loss_difference, s = lines.slope_difference;
  const double offset = lines.at_ln_n - lines.centre_ln_n_b;  // z of b's centre is -offset
  const double v2 = lines.slope_variance_a + lines.slope_variance_b + lines.text_slope_variance;
  const double v1 = lines.slope_variance_b * offset - lines.text_covariance;
  const double v0 = lines.level_variance_a + lines.level_variance_b + lines.text_level_variance +
                    lines.slope_variance_b * offset * offset;
  const double t2 = lines.t * lines.t;
  const double q2 = s * s - t2 * v2, q1 = -d0 * s - t2 * v1, q0 = d0 * d0 - t2 * v0;
  const auto at = [&](double z) { return std::exp(lines.at_ln_n + z); };
  CrossingSet set;
  set.estimate = s == 0 ? (d0 > 0 ? HUGE_VAL : 0) : at(d0 / s);
  const double discriminant = q1 * q1 - q2 * q0;
  if (std::abs(q2) < 1e-14 * (s * s + t2 * v2)) {
    if (q1 == 0) {
      set.kind = q0 <= 0 ? CrossingSet::Kind::kEverywhere : CrossingSet::Kind::kNone;
    } else if (q1 > 0) {
      set.kind = CrossingSet::Kind::kLeftRay;
      set.high = at(-q0 / (2 * q1));
    } else {
      set.kind = CrossingSet::Kind::kRightRay;
      set.low = at(-q0 / (2 * q1));
    }
  } else if (discriminant < 0) {
    // Without real roots q2 < 0 holds and every z satisfies the inequality: at d0 / s it is -t^2 v.
    set.kind = CrossingSet::Kind::kEverywhere;
  } else {
    const double root = std::sqrt(discriminant);
    const double one = (-q1 - root) / q2, two = (-q1 + root) / q2;
    set.low = at(std::min(one, two));
    set.high = at(std::max(one, two));
    set.kind = q2 > 0 ? CrossingSet::Kind::kInterval : CrossingSet::Kind::kTwoRays;
  }
  return set;
}

}  // namespace scalelaw
