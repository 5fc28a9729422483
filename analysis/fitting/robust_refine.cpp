#include "analysis/fitting/robust_refine.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/fitting/bfgs.h"
#include "analysis/fitting/variable_projection.h"

namespace scalelaw {
namespace {

constexpr int kMostParameters = 8;
constexpr double kVanishedFloor = 1e-6;  // of the smallest loss
constexpr std::size_t kOneStartSuffices = 60;

// F and its gradient over all of theta; contributions are summed by size for the scaled gradient.
struct Objective {
  const Law& law;
  const FitData& data;
  double delta;

  double evaluate(const double* theta, double* gradient, double* contribution_size) const {
    const int size = law.parameters();
    std::array<double, kMostParameters> d;
    if (gradient != nullptr) std::fill_n(gradient, size, 0.0);
    if (contribution_size != nullptr) std::fill_n(contribution_size, size, 0.0);
    double sum = 0;
    for (std::size_t i = 0; i < data.rows(); ++i) {
      if (data.weight[i] <= 0) continue;
      const double r = data.ln_loss[i] - law.ln_loss({theta, static_cast<std::size_t>(size)},
                                                     data.scale[i], gradient ? d.data() : nullptr);
      const bool inside = std::abs(r) <= delta;
      sum += data.weight[i] * (inside ? 0.5 * r * r : delta * (std::abs(r) - 0.5 * delta));
      if (gradient == nullptr) continue;
      const double slope = -data.weight[i] * (inside ? r : std::copysign(delta, r));
      for (int k = 0; k < size; ++k) {
        gradient[k] += slope * d[k];
        if (contribution_size != nullptr) contribution_size[k] += std::abs(slope * d[k]);
      }
    }
    return sum;
  }
};

// The free entries of theta, with the objective divided by `scale`.
void minimise(const Objective& objective, std::vector<double>& theta, const std::vector<int>& free,
              double scale) {
  std::array<double, kMostParameters> at, full;
  std::copy(theta.begin(), theta.end(), at.begin());
  const ValueAndGradient of = [&](const double* x, double* cost, double* gradient) {
    for (std::size_t k = 0; k < free.size(); ++k) at[free[k]] = x[k];
    *cost = objective.evaluate(at.data(), gradient ? full.data() : nullptr, nullptr) / scale;
    if (gradient != nullptr) {
      for (std::size_t k = 0; k < free.size(); ++k) gradient[k] = full[free[k]] / scale;
    }
    return std::isfinite(*cost);
  };
  std::vector<double> parameters;
  for (const int k : free) parameters.push_back(theta[k]);
  minimise_by_bfgs(of, 400, parameters);
  for (std::size_t k = 0; k < free.size(); ++k) theta[free[k]] = parameters[k];
}

double scaled_gradient(const Objective& objective, const std::vector<double>& theta,
                       const std::vector<int>& free) {
  std::array<double, kMostParameters> gradient, size;
  objective.evaluate(theta.data(), gradient.data(), size.data());
  double worst = 0;
  for (const int k : free) {
    if (size[k] > 0) worst = std::max(worst, std::abs(gradient[k]) / size[k]);
  }
  return worst;
}

double smallest_loss(const FitData& data) {
  double smallest = std::numeric_limits<double>::max();
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] > 0) smallest = std::min(smallest, data.loss[i]);
  }
  return smallest;
}

// For least squares the residual variance at the start takes delta^2's place.
double objective_scale(const Objective& objective, const std::vector<double>& start) {
  if (std::isfinite(objective.delta)) return objective.delta * objective.delta;
  const double rss = 2 * objective.evaluate(start.data(), nullptr, nullptr);
  return std::max(rss / std::max(objective.data.total_weight(), 1.0), 1e-24);
}

}  // namespace

FitResult refine(const Law& law, const FitData& data, std::vector<double> start,
                 const RefineOptions& options) {
  FitResult result;
  result.starts = 1;
  const int held = options.fixed_parameter ? 1 : 0;
  if (data.distinct_scales() < law.parameters() - held) {
    result.why = std::to_string(data.distinct_scales()) + " distinct sizes for " +
                 std::to_string(law.parameters() - held) + " parameters";
    return result;
  }
  if (options.fixed_parameter) start[*options.fixed_parameter] = options.fixed_value;
  const int floor = law.has_floor() ? law.parameters() - 1 : -1;
  const auto free_entries = [&](bool with_floor) {
    std::vector<int> free;
    for (int k = 0; k < law.parameters(); ++k) {
      if (k == options.fixed_parameter.value_or(-1) || (k == floor && !with_floor)) continue;
      free.push_back(k);
    }
    return free;
  };
  const Objective objective{law, data, options.huber_delta};
  const double scale = objective_scale(objective, start);
  const double vanished = std::log(kVanishedFloor * smallest_loss(data));
  const bool floor_is_free = floor >= 0 && options.fixed_parameter.value_or(-1) != floor;
  result.theta = std::move(start);
  bool floor_gone = floor_is_free && result.theta[floor] <= vanished;
  std::vector<int> free = free_entries(!floor_gone);
  minimise(objective, result.theta, free, scale);
  if (floor_is_free && !floor_gone && result.theta[floor] <= vanished) {
    floor_gone = true;
    free = free_entries(false);
    result.theta[floor] = kNoFloor;
    minimise(objective, result.theta, free, scale);
  }
  result.objective = objective.evaluate(result.theta.data(), nullptr, nullptr);
  result.scaled_gradient = scaled_gradient(objective, result.theta, free);
  // A curve through every point leaves contributions of rounding size only: nothing to judge.
  const bool exact = result.objective < 1e-20 * data.total_weight();
  const bool finite = std::isfinite(result.objective) &&
                      std::all_of(result.theta.begin(), result.theta.end(),
                                  [](double entry) { return std::isfinite(entry); });
  if (!finite) {
    result.status = FitStatus::kNotConverged;
    result.why = "the fit is not finite";
  } else if (law.has_floor() &&
             std::any_of(result.theta.begin(), result.theta.begin() + law.exponents(),
                         [](double exponent) { return exponent <= 0; })) {
    result.status = FitStatus::kDegenerate;  // where loss rises E is no limit of it
    result.why = "the best fit does not fall with size";
  } else if (floor_gone) {
    result.status = FitStatus::kAtBound;
    result.why = "the best floor is E = 0: the data ask for no floor";
  } else if (data.distinct_scales() == law.parameters() - held) {
    result.status = FitStatus::kNotIdentified;
    result.why = std::to_string(data.distinct_scales()) + " sizes, " +
                 std::to_string(law.parameters() - held) +
                 " parameters, 0 residual degrees of freedom";
  } else if (!(result.scaled_gradient <= kGradientTolerance) && !exact) {
    result.status = FitStatus::kNotConverged;
    result.why = "the search stopped before the gradient vanished";
  } else {
    result.status = FitStatus::kConverged;
  }
  return result;
}

FitResult fit_robust(const Law& law, const FitData& data, const RefineOptions& options) {
  std::vector<std::vector<double>> starts;
  FitResult failed;
  for (const ErrorSpace space : {ErrorSpace::kLoss, ErrorSpace::kRelative}) {
    VariableProjectionOptions projection;
    projection.space = space;
    FitResult start = fit_least_squares(law, data, projection);
    if (start.theta.empty()) {
      failed = std::move(start);
    } else {
      starts.push_back(std::move(start.theta));
    }
  }
  if (starts.empty()) return failed;
  if (data.rows() < kOneStartSuffices && law.has_floor()) {
    std::vector<double> third = starts.back();
    for (int k = 0; k < law.exponents(); ++k) third[k] *= 0.6;
    third.back() = std::log(0.5 * smallest_loss(data));
    starts.push_back(third);
  }
  FitResult best;
  std::vector<double> objectives;
  for (std::vector<double>& start : starts) {
    FitResult found = refine(law, data, std::move(start), options);
    if (found.theta.empty()) return found;
    objectives.push_back(found.objective);
    if (best.theta.empty() || !std::isfinite(best.objective) || found.objective < best.objective) {
      best = std::move(found);
    }
  }
  best.starts = static_cast<int>(objectives.size());
  best.starts_at_best =
      static_cast<int>(std::count_if(objectives.begin(), objectives.end(), [&](double f) {
        return f <= best.objective * (1 + 1e-6) + 1e-18;
      }));
  return best;
}

double default_huber_delta(const Law& law, const FitData& data) {
  const FitResult start = fit_least_squares(law, data);
  if (start.theta.empty()) return 1e-3;
  std::vector<double> size;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    if (data.weight[i] > 0) {
      size.push_back(std::abs(data.ln_loss[i] - law.ln_loss(start.theta, data.scale[i])));
    }
  }
  std::nth_element(size.begin(), size.begin() + static_cast<std::ptrdiff_t>(size.size() / 2),
                   size.end());
  const double rows = static_cast<double>(size.size());
  const double spent = std::max(rows - law.parameters(), 1.0);
  return std::max(1e-6, 1.345 * 1.4826 * size[size.size() / 2] * std::sqrt(rows / spent));
}

}  // namespace scalelaw
