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

namespace {

// x^2 less its own line: what a parabola adds to a line, uncorrelated with it.
struct Bend {
  WeightedLine of_squares;
  std::vector<double> residual;  // of each point
  double sum_weight = 0;         // of weight residual^2
};

Bend bend_of(std::span<const LinePoint> points, double centre) {
  std::vector<LinePoint> squares;
  for (const LinePoint& p : points) {
    const double x = p.x - centre;
    squares.push_back({p.x, x * x, p.weight});
  }
  Bend bend{fit_line(squares), {}, 0};
  for (const LinePoint& s : squares) {
    bend.residual.push_back(s.y - bend.of_squares.at(s.x));
    bend.sum_weight += s.weight * bend.residual.back() * bend.residual.back();
  }
  return bend;
}

}  // namespace

Curvature fit_curvature(std::span<const LinePoint> points) {
  const WeightedLine line = fit_line(points);
  const Bend bend = bend_of(points, line.centre_x);
  double sum_qy = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    sum_qy += points[i].weight * bend.residual[i] * (points[i].y - line.at(points[i].x));
  }
  Curvature curvature;
  curvature.value = sum_qy / bend.sum_weight;
  curvature.variance_factor = 1 / bend.sum_weight;
  curvature.weighted_rss = std::max(line.weighted_rss - curvature.value * sum_qy, 0.0);
  return curvature;
}

std::vector<double> parabola_value_coefficients(std::span<const LinePoint> points, double at) {
  const WeightedLine line = fit_line(points);
  const Bend bend = bend_of(points, line.centre_x);
  const double x = at - line.centre_x;
  const double lever = x * x - bend.of_squares.at(at);
  std::vector<double> coefficients = slope_coefficients(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double weight = points[i].weight;
    coefficients[i] = weight / line.sum_weight + x * coefficients[i] +
                      lever * weight * bend.residual[i] / bend.sum_weight;
  }
  return coefficients;
}

std::vector<double> parabola_slope_coefficients(std::span<const LinePoint> points, double at) {
  const WeightedLine line = fit_line(points);
  const Bend bend = bend_of(points, line.centre_x);
  const double lever = 2 * (at - line.centre_x) - bend.of_squares.slope;
  std::vector<double> coefficients = slope_coefficients(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    coefficients[i] += lever * points[i].weight * bend.residual[i] / bend.sum_weight;
  }
  return coefficients;
}

}  // namespace scalelaw
