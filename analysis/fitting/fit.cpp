#include "analysis/fitting/fit.h"

#include <cassert>
#include <cmath>
#include <set>
#include <utility>

namespace scalelaw {

FitData::FitData(std::span<const Observation> observations) {
  double total = 0;
  for (const Observation& o : observations) {
    assert(o.n > 0 && o.d > 0 && o.loss > 0 && o.weight >= 0);
    total += o.weight;
    centre.ln_n += o.weight * std::log(o.n);
    centre.ln_d += o.weight * std::log(o.d);
  }
  if (total > 0) {
    centre.ln_n /= total;
    centre.ln_d /= total;
  }
  for (const Observation& o : observations) {
    scale.push_back(centred(o.n, o.d));
    loss.push_back(o.loss);
    ln_loss.push_back(std::log(o.loss));
    weight.push_back(o.weight);
  }
}

double FitData::total_weight() const {
  double sum = 0;
  for (const double w : weight) sum += w;
  return sum;
}

int FitData::distinct_scales() const {
  std::set<std::pair<double, double>> seen;
  for (std::size_t i = 0; i < rows(); ++i) {
    if (weight[i] > 0) seen.emplace(scale[i].x, scale[i].y);
  }
  return static_cast<int>(seen.size());
}

CentredScale FitData::centred(double n, double d) const {
  return {std::log(n) - centre.ln_n, std::log(d) - centre.ln_d};
}

std::string_view name(FitStatus status) {
  switch (status) {
    case FitStatus::kConverged:
      return "converged";
    case FitStatus::kAtBound:
      return "at_bound";
    case FitStatus::kDegenerate:
      return "degenerate";
    case FitStatus::kNotIdentified:
      return "not_identified";
    case FitStatus::kTooFewPoints:
      return "too_few_points";
    case FitStatus::kNotConverged:
      return "not_converged";
    case FitStatus::kNotComparable:
      return "not_comparable";
  }
  return "";
}

bool has_curve(FitStatus status) {
  return status == FitStatus::kConverged || status == FitStatus::kAtBound ||
         status == FitStatus::kNotIdentified;
}

}  // namespace scalelaw
