// Newton's steps against their slow twins: derivatives against the formula's own gradient and
// differences of it, and optima against the search that does without.
#include "analysis/fitting/formula_newton.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "analysis/fitting/formula_intervals.h"
#include "analysis/fitting/formula_rows.h"
#include "tests/analysis/epoch_rows.h"
#include "tests/analysis/law_cases.h"

namespace scalelaw {
namespace {

class NewtonOfNamedLaw : public ::testing::TestWithParam<LawCase> {
 protected:
  const FormulaLaw& law() const { return *find_formula_law(GetParam().id); }
  ErrorKind kind() const { return law().in_ln ? ErrorKind::kHuberLn : ErrorKind::kGaussian; }
};

TEST_P(NewtonOfNamedLaw, DerivativesAreTheSlowTwins) {
  const FormulaData data = law_data(law(), GetParam(), 60, .01);
  const auto derivatives = FormulaDerivatives::of(law().formula);
  ASSERT_TRUE(derivatives);
  // Least squares: the Hessian has no jumps that a difference could meet.
  const ErrorKind smooth = law().in_ln ? ErrorKind::kGaussianLn : ErrorKind::kGaussian;
  const FormulaObjective objective{law(), data, smooth, .02, &*derivatives};
  FormulaRows rows(objective, *derivatives);
  std::vector<double> u;
  for (const FormulaConstant& constant : law().constants) {
    u.push_back(constant.to_search(GetParam().truth.at(constant.symbol)) * (1 + 1e-3));
  }
  FormulaCurvature at;
  ASSERT_TRUE(rows.evaluate(u.data(), at));
  const std::size_t count = u.size();
  std::vector<double> gradient(count), size(count), up(count), down(count);
  EXPECT_NEAR(at.value / objective.value(u.data(), gradient.data(), size.data()), 1, 1e-9);
  for (std::size_t k = 0; k < count; ++k) {
    const auto i = static_cast<Eigen::Index>(k);
    EXPECT_NEAR(at.gradient[i], gradient[k], 1e-8 * size[k]) << law().constants[k].symbol;
    EXPECT_NEAR(at.contributions[i], size[k], 1e-8 * size[k]);
    const double step = 1e-5 * std::max(std::abs(u[k]), 1e-2);
    std::vector<double> moved = u;
    moved[k] = u[k] + step;
    objective.value(moved.data(), up.data());
    moved[k] = u[k] - step;
    objective.value(moved.data(), down.data());
    for (std::size_t j = 0; j < count; ++j) {
      const auto other = static_cast<Eigen::Index>(j);
      const double scale = std::sqrt(at.gauss_newton(i, i) * at.gauss_newton(other, other));
      EXPECT_NEAR(at.hessian(i, other), (up[j] - down[j]) / (2 * step), 1e-4 * scale)
          << law().constants[k].symbol << ' ' << law().constants[j].symbol;
    }
  }
}

// Replicates of a bootstrap from one start, robustly with few rows inside delta.
TEST_P(NewtonOfNamedLaw, IsNeverWorseThanTheSlowWay) {
  const FormulaData data = law_data(law(), GetParam(), 80, .01);
  const FormulaFit fit = fit_formula(law(), data, {.kind = kind(), .delta = 2e-3});
  ASSERT_TRUE(has_curve(fit.status)) << fit.why;
  const auto derivatives = FormulaDerivatives::of(law().formula);
  FormulaData replicate = data;
  for (int b = 0; b < 12; ++b) {
    const std::vector<int> counts = bootstrap_counts(static_cast<int>(data.rows()), 5, b);
    replicate.weight.assign(counts.begin(), counts.end());
    const FormulaObjective slow{law(), replicate, kind(), 2e-3};
    FormulaObjective fast = slow;
    fast.derivatives = &*derivatives;
    const double found = refit(fast, {fit.found.u}).objective;
    EXPECT_LE(found, refit(slow, {fit.found.u}).objective * (1 + 1e-9)) << "replicate " << b;
  }
}

INSTANTIATE_TEST_SUITE_P(All, NewtonOfNamedLaw, testing::ValuesIn(law_cases()),
                         [](const auto& each) { return each.param.id; });

class BootstrapOfEpochsRows : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const Observation& o : epoch_rows()) data_.add(std::vector{o.n, o.d}, o.loss);
    if (data_.rows() == 0) GTEST_SKIP() << "no epoch_chinchilla data: set SCALELAW_TEST_DATA";
    fit_ = fit_formula(law_, data_, {.delta = 1e-3});
    cluster_.resize(data_.rows());
    std::iota(cluster_.begin(), cluster_.end(), 0);
  }
  FormulaBootstrap draw(int replicates, int threads, bool by_newton) const {
    return bootstrap_formula(
        law_, data_, ErrorKind::kHuberLn, fit_, cluster_, static_cast<int>(cluster_.size()), {},
        {.replicates = replicates, .seed = 1, .threads = threads}, .95, by_newton);
  }
  const FormulaLaw& law_ = *find_formula_law("chinchilla");
  FormulaData data_;
  FormulaFit fit_;
  std::vector<int> cluster_;
};

TEST_F(BootstrapOfEpochsRows, EveryReplicateIsAsGoodAsTheSlowWays) {
  const BootstrapResult fast = draw(300, 2, true).result, slow = draw(300, 2, false).result;
  EXPECT_EQ(fast.stuck, slow.stuck);
  EXPECT_EQ(fast.degenerate, slow.degenerate);
  ASSERT_EQ(fast.fitted.size(), slow.fitted.size());
  for (std::size_t b = 0; b < fast.fitted.size(); ++b) {
    const std::vector<int> counts =
        bootstrap_counts(static_cast<int>(data_.rows()), 1, static_cast<int>(b));
    FormulaData replicate = data_;
    replicate.weight.assign(counts.begin(), counts.end());
    const FormulaObjective objective{law_, replicate, ErrorKind::kHuberLn, 1e-3};
    const auto worth = [&](const std::vector<double>& constants) {
      std::vector<double> u;
      for (std::size_t k = 0; k < law_.constants.size(); ++k) {
        u.push_back(law_.constants[k].to_search(constants[k]));
      }
      return objective.value(u.data());
    };
    EXPECT_LE(worth(fast.fitted[b]), worth(slow.fitted[b]) * (1 + 1e-9)) << "replicate " << b;
  }
}

// The published spread: 95% of E [1.770, 1.870]. An end of 2,000 replicates has a standard error
// of about .0012.
TEST_F(BootstrapOfEpochsRows, IntervalOfEIsThePublished) {
  const FormulaBootstrap drawn = draw(2000, 2, true);
  ASSERT_FALSE(drawn.constants.empty());
  EXPECT_NEAR(drawn.constants[0].low, 1.770, .004);
  EXPECT_NEAR(drawn.constants[0].high, 1.870, .004);
}

TEST_F(BootstrapOfEpochsRows, NumberOfThreadsChangesNoDigit) {
  EXPECT_EQ(draw(200, 1, true).result.fitted, draw(200, 3, true).result.fitted);
}

}  // namespace
}  // namespace scalelaw
