#include "analysis/kaplan/smoothing.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

namespace scalelaw {
namespace {

struct Evaluations {
  std::vector<double> x, y;  // ln S, ln L
};

// Half the width at x: the reach, or as far as the fewest evaluations lie.
double width_at(const Evaluations& all, double x, const SmoothingOptions& options) {
  std::vector<double> distance;
  for (const double each : all.x) distance.push_back(std::abs(each - x));
  const auto last = distance.begin() + options.fewest - 1;
  std::nth_element(distance.begin(), last, distance.end());
  // The farthest one shall have some weight.
  return std::max(std::log(options.reach), 1.1 * *last);
}

struct Fitted {
  double value = 0, own_weight = 0;  // of the evaluation at x itself, for degrees of freedom
};

Fitted at(const Evaluations& all, double x, const SmoothingOptions& options) {
  const double width = width_at(all, x, options);
  Eigen::Matrix3d square = Eigen::Matrix3d::Zero();
  Eigen::Vector3d right = Eigen::Vector3d::Zero();
  for (std::size_t i = 0; i < all.x.size(); ++i) {
    const double t = (all.x[i] - x) / width;
    if (std::abs(t) >= 1) continue;
    const double weight = std::pow(1 - std::pow(std::abs(t), 3), 3);
    const Eigen::Vector3d row(1, t, t * t);
    square += weight * row * row.transpose();
    right += weight * all.y[i] * row;
  }
  const Eigen::LDLT<Eigen::Matrix3d> solver(square);
  // At x itself t is 0 and the tricube 1.
  return {solver.solve(right)[0], solver.solve(Eigen::Vector3d(1, 0, 0))[0]};
}

}  // namespace

SmoothCurve smooth(const TrainingCurve& curve, std::size_t run, const SmoothingOptions& options) {
  SmoothCurve result;
  result.run = run;
  result.n = curve.n;
  result.batch = curve.batch;
  Evaluations all;
  for (std::size_t i = 0; i < curve.step.size(); ++i) {
    if (curve.step[i] <= curve.warmup) {
      ++result.in_warmup;
      continue;
    }
    all.x.push_back(std::log(curve.step[i]));
    all.y.push_back(std::log(curve.loss[i]));
  }
  result.evaluations = static_cast<int>(all.x.size());
  const std::string after = result.in_warmup > 0 ? " after the warm-up" : "";
  if (result.evaluations < options.fewest) {
    result.why = std::to_string(result.evaluations) + " evaluations" + after +
                 ", and a curve takes " + std::to_string(options.fewest);
    return result;
  }
  const double range = all.x.back() - all.x.front();
  if (range < std::log(options.least_spread)) {
    result.why = "its evaluations" + after + " span less than a factor of 2 in steps";
    return result;
  }
  const int places = static_cast<int>(std::ceil(range / std::log(10) * options.per_decade)) + 1;
  for (int i = 0; i < places; ++i) {
    const double x = all.x.front() + range * i / (places - 1);
    result.step.push_back(std::exp(x));
    result.loss.push_back(std::exp(at(all, x, options).value));
  }
  double squares = 0, spent = 0;
  for (std::size_t i = 0; i < all.x.size(); ++i) {
    const Fitted here = at(all, all.x[i], options);
    squares += std::pow(all.y[i] - here.value, 2);
    spent += here.own_weight;
  }
  result.noise = std::sqrt(squares / std::max(result.evaluations - spent, 1.0));
  return result;
}

}  // namespace scalelaw
