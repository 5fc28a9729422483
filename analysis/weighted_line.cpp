#include "analysis/weighted_line.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {

WeightedLine fit_line(std::span<const LinePoint> points) {
  WeightedLine line;
  for (const LinePoint& p : points) line.sum_weight += p.weight;
  for (const LinePoint& p : points) {
    line.centre_x += p.weight * p.x / line.sum_weight;
    line.centre_y += p.weight * p.y / line.sum_weight;
  }
  double sum_xy = 0;
  for (const LinePoint& p : points) {
    const double x = p.x - line.centre_x;
    line.sum_xx += p.weight * x * x;
    sum_xy += p.weight * x * (p.y - line.centre_y);
  }
  line.slope = sum_xy / line.sum_xx;
  for (const LinePoint& p : points) line.weighted_rss += p.weight * std::pow(p.y - line.at(p.x), 2);
  return line;
}

std::vector<double> slope_coefficients(std::span<const LinePoint> points) {
  const WeightedLine line = fit_line(points);
  std::vector<double> coefficients;
  for (const LinePoint& p : points) {
    coefficients.push_back(p.weight * (p.x - line.centre_x) / line.sum_xx);
  }
  return coefficients;
}

Curvature fit_curvature(std::span<const LinePoint> points) {
  const WeightedLine line = fit_line(points);
  // Residuals of x^2 on (1, x), then of y on them: the partial regression.
  std::vector<LinePoint> squares;
  for (const LinePoint& p : points) {
    const double x = p.x - line.centre_x;
    squares.push_back({p.x, x * x, p.weight});
  }
  const WeightedLine of_squares = fit_line(squares);
  double sum_qq = 0, sum_qy = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double q = squares[i].y - of_squares.at(points[i].x);
    sum_qq += points[i].weight * q * q;
    sum_qy += points[i].weight * q * (points[i].y - line.at(points[i].x));
  }
  Curvature curvature;
  curvature.value = sum_qy / sum_qq;
  curvature.variance_factor = 1 / sum_qq;
  curvature.weighted_rss = std::max(line.weighted_rss - curvature.value * sum_qy, 0.0);
  return curvature;
}

}  // namespace scalelaw
