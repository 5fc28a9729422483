// Makes a Law of a formula written once as a template: the gradient comes from Ceres Jets.
//
// A Formula gives kId, kFormula, kParameters, kExponents, kFloor, and
//   template <typename T> static T ln_loss(const T* theta, CentredScale at);
#pragma once

#include <ceres/jet.h>

#include <array>
#include <cassert>
#include <cmath>

#include "analysis/laws/law.h"

namespace scalelaw {

// ln(exp(a) + exp(b)) without overflow.
template <typename T>
T log_add(const T& a, const T& b) {
  using std::exp;
  using std::log;
  return a > b ? a + log(1.0 + exp(b - a)) : b + log(1.0 + exp(a - b));
}

template <typename Formula>
class LawByJets : public Law {
 public:
  std::string_view id() const override { return Formula::kId; }
  std::string_view formula() const override { return Formula::kFormula; }
  int parameters() const override { return Formula::kParameters; }
  int exponents() const override { return Formula::kExponents; }
  bool has_floor() const override { return Formula::kFloor; }

  double ln_loss(std::span<const double> theta, CentredScale at, double* gradient) const override {
    constexpr int kSize = Formula::kParameters;
    assert(theta.size() == kSize);
    if (gradient == nullptr) return Formula::template ln_loss<double>(theta.data(), at);
    using Jet = ceres::Jet<double, kSize>;
    std::array<Jet, kSize> jets;
    for (int i = 0; i < kSize; ++i) jets[i] = Jet(theta[i], i);
    const Jet value = Formula::template ln_loss<Jet>(jets.data(), at);
    for (int i = 0; i < kSize; ++i) gradient[i] = value.v[i];
    return value.a;
  }
};

}  // namespace scalelaw
