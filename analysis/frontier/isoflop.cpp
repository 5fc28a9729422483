#include "analysis/frontier/isoflop.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <random>

#include "analysis/frontier/akima.h"

namespace scalelaw {
namespace {

constexpr int kFewestOwnDf = 3;

// Of a budget's parabola, in units of the variance of L.
struct ParabolaErrors {
  double ln_n_variance = 0, loss_variance = 0;
  double rss = 0;
  int df = 0;
};

std::vector<std::vector<FrontierPoint>> grouped(std::span<const FrontierPoint> points,
                                                double tolerance) {
  std::vector<FrontierPoint> sorted(points.begin(), points.end());
  std::ranges::stable_sort(sorted, {}, &FrontierPoint::c);
  std::vector<std::vector<FrontierPoint>> groups;
  for (const FrontierPoint& point : sorted) {
    if (groups.empty() || point.c > groups.back().front().c * (1 + tolerance)) groups.push_back({});
    groups.back().push_back(point);
  }
  return groups;
}

IsoFlop isoflop_of(std::vector<FrontierPoint> points, SameSize same_size) {
  IsoFlop group;
  const double smallest = points.front().c, largest = points.back().c;
  group.spread = largest / smallest - 1;
  double ln_c = 0;
  for (const FrontierPoint& p : points) ln_c += std::log(p.c) / static_cast<double>(points.size());
  group.budget = smallest == largest ? smallest : std::exp(ln_c);
  std::ranges::stable_sort(points, {}, &FrontierPoint::n);
  for (std::size_t first = 0; first < points.size();) {
    double sum = 0, lowest = HUGE_VAL;
    std::size_t last = first;
    for (; last < points.size() && points[last].n == points[first].n; ++last) {
      sum += std::log(points[last].loss);
      lowest = std::min(lowest, std::log(points[last].loss));
    }
    group.ln_n.push_back(std::log(points[first].n));
    group.ln_loss.push_back(
        same_size == SameSize::kLowest ? lowest : sum / static_cast<double>(last - first));
    first = last;
  }
  group.points = std::move(points);
  return group;
}

MinimumStatus place_of(double at, const std::vector<double>& ln_n) {
  if (at <= ln_n.front()) return MinimumStatus::kAtOrBelow;
  if (at >= ln_n.back()) return MinimumStatus::kAtOrAbove;
  return MinimumStatus::kInside;
}

// A parabola's lowest place between an end and its neighbour is no measurement where that end had
// the lowest loss of all: no size beyond it was seen to be worse.
MinimumStatus bracketed(double at, std::size_t lowest_size, const std::vector<double>& ln_n) {
  if (lowest_size == 0 && at < ln_n[1]) return MinimumStatus::kAtOrBelow;
  if (lowest_size + 1 == ln_n.size() && at > ln_n[ln_n.size() - 2]) {
    return MinimumStatus::kAtOrAbove;
  }
  return place_of(at, ln_n);
}

// All runs where sizes are means; else the lowest of each size.
ParabolaErrors fit_parabola(IsoFlop& group, SameSize same_size) {
  std::vector<double> x, y;
  if (same_size == SameSize::kMean) {
    for (const FrontierPoint& p : group.points) {
      x.push_back(std::log(p.n));
      y.push_back(p.loss);
    }
  } else {
    x = group.ln_n;
    for (const double ln_loss : group.ln_loss) y.push_back(std::exp(ln_loss));
  }
  const auto rows = static_cast<Eigen::Index>(x.size());
  for (const double value : x) group.centre += value / static_cast<double>(rows);
  Eigen::MatrixXd columns(rows, 3);
  Eigen::VectorXd loss(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const double u = x[static_cast<std::size_t>(i)] - group.centre;
    columns.row(i) << 1, u, u * u;
    loss[i] = y[static_cast<std::size_t>(i)];
  }
  const Eigen::Vector3d c = columns.colPivHouseholderQr().solve(loss);
  group.level = c[0];
  group.slope = c[1];
  group.bend = c[2];
  ParabolaErrors errors;
  errors.rss = (loss - columns * c).squaredNorm();
  errors.df = static_cast<int>(rows) - 3;
  IsoFlopMinimum& found = group.parabola;
  const auto lowest =
      static_cast<std::size_t>(std::ranges::min_element(group.ln_loss) - group.ln_loss.begin());
  found = {MinimumStatus::kNone, group.ln_n[lowest], std::exp(group.ln_loss[lowest])};
  if (!(c[2] > 0)) return errors;
  const double u = -c[1] / (2 * c[2]);
  found.status = bracketed(group.centre + u, lowest, group.ln_n);
  if (found.status != MinimumStatus::kInside) {
    const bool below = found.status == MinimumStatus::kAtOrBelow;
    found.ln_n = below ? group.ln_n.front() : group.ln_n.back();
    found.loss = std::exp(below ? group.ln_loss.front() : group.ln_loss.back());
    return errors;
  }
  found.ln_n = group.centre + u;
  found.loss = group.parabola_at(found.ln_n);
  const Eigen::Matrix3d covariance = (columns.transpose() * columns).inverse();
  const Eigen::Vector3d of_u(0, -1 / (2 * c[2]), -u / c[2]), of_loss(1, u, u * u);
  errors.ln_n_variance = of_u.dot(covariance * of_u);
  errors.loss_variance = of_loss.dot(covariance * of_loss);
  return errors;
}

void find_akima(IsoFlop& group, const IsoFlopOptions& options, uint64_t stream) {
  const double noise = group.noise;
  const auto minimum_of = [&](const std::vector<double>& ln_loss) {
    return AkimaCurve(group.ln_n, ln_loss).minimum();
  };
  const AkimaCurve::Point lowest = minimum_of(group.ln_loss);
  group.akima = {place_of(lowest.x, group.ln_n), lowest.x, std::exp(lowest.y)};
  if (group.akima.status != MinimumStatus::kInside || noise <= 0 || options.noise_replicates <= 0) {
    return;
  }
  std::mt19937_64 random(options.seed * 0x9e3779b97f4a7c15ULL + stream);
  std::normal_distribution<double> normal(0, noise);
  std::vector<double> inside, losses;
  for (int i = 0; i < options.noise_replicates; ++i) {
    std::vector<double> noisy = group.ln_loss;
    for (double& value : noisy) value += normal(random);
    const AkimaCurve::Point found = minimum_of(noisy);
    if (place_of(found.x, group.ln_n) != MinimumStatus::kInside) continue;
    inside.push_back(found.x);
    losses.push_back(found.y);
  }
  // Where noise alone moves the minimum to an edge as often as not, it is no measurement.
  if (2 * static_cast<int>(inside.size()) < options.noise_replicates) {
    const double middle = 0.5 * (group.ln_n.front() + group.ln_n.back());
    const bool below = lowest.x < middle;
    group.akima.status = below ? MinimumStatus::kAtOrBelow : MinimumStatus::kAtOrAbove;
    return;
  }
  const auto sd = [](const std::vector<double>& values) {
    double mean = 0, squares = 0;
    for (const double v : values) mean += v / static_cast<double>(values.size());
    for (const double v : values) squares += (v - mean) * (v - mean);
    return std::sqrt(squares / static_cast<double>(std::max<std::size_t>(values.size(), 2) - 1));
  };
  group.akima.ln_n_error = sd(inside);
  group.akima.ln_loss_error = sd(losses);
  const auto middle = inside.begin() + static_cast<std::ptrdiff_t>(inside.size() / 2);
  std::nth_element(inside.begin(), middle, inside.end());
  group.akima.ln_n_median = *middle;
}

}  // namespace

std::string_view name(MinimumStatus status) {
  switch (status) {
    case MinimumStatus::kInside:
      return "inside";
    case MinimumStatus::kAtOrBelow:
      return "at_or_below";
    case MinimumStatus::kAtOrAbove:
      return "at_or_above";
    case MinimumStatus::kNone:
      return "none";
    case MinimumStatus::kTooFewSizes:
      return "too_few_sizes";
  }
  return "";
}

IsoFlops isoflops(std::span<const FrontierPoint> points, const IsoFlopOptions& options) {
  IsoFlops found;
  std::vector<ParabolaErrors> errors;
  double squares = 0;
  for (std::vector<FrontierPoint>& group : grouped(points, options.tolerance)) {
    const auto size = static_cast<int>(group.size());
    IsoFlop budget = isoflop_of(std::move(group), options.same_size);
    if (static_cast<int>(budget.ln_n.size()) < kFewestSizesForMinimum) {
      found.points_in_none += size;
      continue;
    }
    errors.push_back(fit_parabola(budget, options.same_size));
    // Noise is alike in ln L: residuals of L count relative to the budget's loss.
    errors.back().rss /= budget.level * budget.level;
    squares += errors.back().rss;
    found.noise_df += errors.back().df;
    found.budgets.push_back(std::move(budget));
  }
  found.pooled = std::ranges::any_of(errors, [](auto& e) { return e.df < kFewestOwnDf; });
  if (found.noise_df > 0) found.noise = std::sqrt(squares / found.noise_df);
  for (std::size_t i = 0; i < found.budgets.size(); ++i) {
    IsoFlop& budget = found.budgets[i];
    if (options.noise) {
      budget.noise = *options.noise;
    } else {
      budget.noise = found.pooled ? found.noise : std::sqrt(errors[i].rss / errors[i].df);
      budget.noise_df = found.pooled ? found.noise_df : errors[i].df;
    }
    budget.parabola.ln_n_error = budget.noise * budget.level * std::sqrt(errors[i].ln_n_variance);
    budget.parabola.ln_loss_error = budget.noise * std::sqrt(errors[i].loss_variance);
    find_akima(budget, options, i);
  }
  return found;
}

}  // namespace scalelaw
