#include "analysis/predict/optimal_size.h"

#include <cmath>
#include <vector>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/number_text.h"

namespace scalelaw {
namespace {

double exponent_of(const std::vector<double>& theta) {
  return theta[1] / (theta[0] + theta[1]);
}

// In logs: A and B alone may be beyond all numbers.
double coefficient_of(const std::vector<double>& theta, LogCentre centre) {
  const double ln_a = theta[2] + theta[0] * centre.ln_n, ln_b = theta[3] + theta[1] * centre.ln_d;
  const double ln_g = (std::log(theta[0] / theta[1]) + ln_a - ln_b) / (theta[0] + theta[1]);
  return std::exp(ln_g - exponent_of(theta) * std::log(6));
}

// 0: some row cannot be spared.
double jackknife_error(const FitData& data, const FitResult& best, double huber_delta) {
  const double mean = exponent_of(best.theta);
  const auto rows = static_cast<double>(data.rows());
  double squares = 0;
  for (std::size_t left_out = 0; left_out < data.rows(); ++left_out) {
    FitData others = data;
    others.weight[left_out] = 0;
    const FitResult fit =
        refine(chinchilla_law(), others, best.theta, {.huber_delta = huber_delta});
    if (!has_curve(fit.status)) return 0;
    squares += std::pow(exponent_of(fit.theta) - mean, 2);
  }
  return std::sqrt(squares * (rows - 1) / rows);
}

OptimalSize not_identified(OptimalSize found, const std::string& why) {
  found.status = FitStatus::kNotIdentified;
  found.why = why;
  return found;
}

}  // namespace

std::optional<CCount> six_n_of(NCount convention) {
  switch (convention) {
    case NCount::kNonEmbedding:
      return CCount::kSixN;
    case NCount::kNonEmbeddingPlusHead:
      return CCount::kSixNPlusHead;
    case NCount::kTotal:
      break;
  }
  return std::nullopt;
}

OptimalSize optimal_size(const FitData& data, const FitResult& best, double huber_delta,
                         double level) {
  OptimalSize found;
  found.status = best.status;
  found.why = best.why;
  if (!has_curve(best.status)) return found;
  if (!(best.theta[0] > 0 && best.theta[1] > 0)) {
    found.status = FitStatus::kDegenerate;
    found.why = "the loss does not fall with both N and D (alpha " + fixed(best.theta[0], 3) +
                ", beta " + fixed(best.theta[1], 3) + ")";
    return found;
  }
  found.coefficient = coefficient_of(best.theta, data.centre);
  found.exponent = exponent_of(best.theta);
  if (best.status == FitStatus::kNotIdentified) return found;
  found.status = FitStatus::kConverged;
  found.why.clear();
  found.standard_error = jackknife_error(data, best, huber_delta);
  if (found.standard_error == 0) {
    return not_identified(found, "without one of its points L(N, D) has no fit");
  }
  const int df = static_cast<int>(data.rows()) - chinchilla_law().parameters();
  const double reach = student_t_quantile((1 + level) / 2, df) * found.standard_error;
  found.interval = Interval{found.exponent - reach, found.exponent + reach};
  if (found.interval->low <= 0 || found.interval->high >= 1) {
    return not_identified(found, "the runs leave its exponent open: " + level_text(level) +
                                     " interval " +
                                     interval_text(found.interval->low, found.interval->high, 2) +
                                     ", which reaches " + (found.interval->low <= 0 ? "0" : "1"));
  }
  return found;
}

}  // namespace scalelaw
