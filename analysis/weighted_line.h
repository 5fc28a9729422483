// A straight line by weighted least squares, about its weighted centre: level and slope are then
// uncorrelated.
#pragma once

#include <span>
#include <vector>

namespace scalelaw {

struct LinePoint {
  double x = 0, y = 0, weight = 1;  // weight > 0, of 1 / variance up to a common factor
};

struct WeightedLine {
  double centre_x = 0, centre_y = 0, slope = 0;
  double sum_weight = 0, sum_xx = 0;  // sum of weights; of weight (x - centre_x)^2
  double weighted_rss = 0;            // sum of weight (y - line)^2
  double at(double x) const { return centre_y + slope * (x - centre_x); }
};

// Needs two distinct x.
WeightedLine fit_line(std::span<const LinePoint> points);

// The slope as a linear function of y: slope = sum_i coefficient_i y_i.
std::vector<double> slope_coefficients(std::span<const LinePoint> points);

// y's coefficient of x^2 in a parabola through the points, and its variance in units of the
// residual variance; needs three distinct x.
struct Curvature {
  double value = 0, variance_factor = 0;
  double weighted_rss = 0;  // about the parabola
};
Curvature fit_curvature(std::span<const LinePoint> points);

// The parabola's value at one x as a linear function of y.
std::vector<double> parabola_value_coefficients(std::span<const LinePoint> points, double at);
// The parabola's slope at one x as a linear function of y, like slope_coefficients.
std::vector<double> parabola_slope_coefficients(std::span<const LinePoint> points, double at);

}  // namespace scalelaw
