#include "analysis/predict/optimal_size.h"

#include <algorithm>
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
double ln_coefficient_of(const std::vector<double>& theta, LogCentre centre) {
  const double ln_a = theta[2] + theta[0] * centre.ln_n, ln_b = theta[3] + theta[1] * centre.ln_d;
  const double ln_g = (std::log(theta[0] / theta[1]) + ln_a - ln_b) / (theta[0] + theta[1]);
  return ln_g - exponent_of(theta) * std::log(6);
}

struct JackknifeErrors {
  double of_exponent = 0;                    // 0: some row cannot be spared
  double ln_best_known = 0, of_ln_size = 0;  // ln C where ln N* is known best, and its error there
};

JackknifeErrors jackknife_errors(const FitData& data, const FitResult& best, double huber_delta) {
  // Of a budget in the data's middle: far from it coefficient and exponent all but cancel.
  const double ln_middle = std::log(6) + data.centre.ln_n + data.centre.ln_d;
  const auto ln_size = [&](const std::vector<double>& theta) {
    return ln_coefficient_of(theta, data.centre) + exponent_of(theta) * ln_middle;
  };
  const double mean = exponent_of(best.theta), mean_size = ln_size(best.theta);
  const auto rows = static_cast<double>(data.rows());
  double squares = 0, products = 0, size_squares = 0;
  for (std::size_t left_out = 0; left_out < data.rows(); ++left_out) {
    FitData others = data;
    others.weight[left_out] = 0;
    const FitResult fit =
        refine(chinchilla_law(), others, best.theta, {.huber_delta = huber_delta});
    if (!has_curve(fit.status)) return {};
    const double exponent = exponent_of(fit.theta) - mean;
    const double size = ln_size(fit.theta) - mean_size;
    squares += exponent * exponent;
    products += exponent * size;
    size_squares += size * size;
  }
  if (squares == 0) return {};
  const double scale = (rows - 1) / rows;
  const double of_ln_size = std::max(0.0, size_squares - products * products / squares);
  return {std::sqrt(squares * scale), ln_middle - products / squares,
          std::sqrt(of_ln_size * scale)};
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
  found.coefficient = std::exp(ln_coefficient_of(best.theta, data.centre));
  found.exponent = exponent_of(best.theta);
  if (best.status == FitStatus::kNotIdentified) return found;
  found.status = FitStatus::kConverged;
  found.why.clear();
  const JackknifeErrors errors = jackknife_errors(data, best, huber_delta);
  found.standard_error = errors.of_exponent;
  if (found.standard_error == 0) {
    return not_identified(found, "without one of its points L(N, D) has no fit");
  }
  const int df = static_cast<int>(data.rows()) - chinchilla_law().parameters();
  const double t = student_t_quantile((1 + level) / 2, df);
  const double reach = t * found.standard_error;
  found.interval = Interval{found.exponent - reach, found.exponent + reach};
  found.best_known = std::exp(errors.ln_best_known);
  found.ln_reach = t * errors.of_ln_size;
  found.exponent_reach = reach;
  if (found.interval->low <= 0 || found.interval->high >= 1) {
    return not_identified(found, "the runs leave its exponent open: " + level_text(level) +
                                     " interval " +
                                     interval_text(found.interval->low, found.interval->high, 2) +
                                     ", which reaches " + (found.interval->low <= 0 ? "0" : "1"));
  }
  return found;
}

}  // namespace scalelaw
