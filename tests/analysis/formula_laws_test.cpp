// Every named law: its formula against a twin in plain C++, its gradient against differences, and
// whether the search finds its constants.
#include <gtest/gtest.h>

#include <cmath>

#include "analysis/fitting/formula_fit.h"
#include "analysis/fitting/formula_start.h"
#include "tests/analysis/law_cases.h"

namespace scalelaw {
namespace {

class NamedLaw : public testing::TestWithParam<LawCase> {
 protected:
  const FormulaLaw& law() const { return *find_formula_law(GetParam().id); }
  std::vector<double> truth() const {
    std::vector<double> values;
    for (const FormulaConstant& constant : law().constants) {
      values.push_back(GetParam().truth.at(constant.symbol));
    }
    return values;
  }
  ErrorKind kind() const { return law().in_ln ? ErrorKind::kGaussianLn : ErrorKind::kGaussian; }
};

TEST_P(NamedLaw, FormulaGivesWhatItsTwinGives) {
  for (const Named& row : law_rows(GetParam().id, 50)) {
    std::vector<double> columns;
    for (const std::string& column : law().formula.columns()) columns.push_back(row.at(column));
    const double twin = GetParam().twin(GetParam().truth, row);
    EXPECT_NEAR(law().value(truth(), columns) / twin, 1, 1e-11);
  }
}

TEST_P(NamedLaw, GradientIsTheSlopeOfTheValue) {
  const FormulaData data = law_data(law(), GetParam(), 20, 0);
  std::vector<double> values = truth(), gradient(values.size());
  for (std::size_t i = 0; i < data.rows(); ++i) {
    law().formula.value(values.data(), data.row(i), gradient.data());
    for (std::size_t k = 0; k < values.size(); ++k) {
      const double step = 1e-5 * std::abs(values[k]);
      std::vector<double> above = values, below = values;
      above[k] += step;
      below[k] -= step;
      const double up = law().formula.value(above.data(), data.row(i));
      const double down = law().formula.value(below.data(), data.row(i));
      const double slope = (up - down) / (2 * step);
      EXPECT_NEAR(gradient[k], slope, 1e-6 * std::abs(slope) + 1e-9 * std::abs(up) / step * 1e-3)
          << law().constants[k].symbol;
    }
  }
}

TEST_P(NamedLaw, NoiseFreeRowsGiveTheConstantsBack) {
  const FormulaData data = law_data(law(), GetParam(), 60, 0);
  const FormulaFit fit = fit_formula(law(), data, {.kind = kind()});
  EXPECT_EQ(fit.status, FitStatus::kConverged) << fit.why;
  for (std::size_t k = 0; k < fit.values.size(); ++k) {
    EXPECT_NEAR(fit.values[k] / truth()[k], 1, 1e-6) << law().constants[k].symbol;
  }
}

#ifdef __SANITIZE_ADDRESS__
constexpr int kRandomStarts = 20;  // minutes a law otherwise
#else
constexpr int kRandomStarts = 200;
#endif

// At 1% noise, both by least squares and robustly: none of 200 starts drawn over the constants'
// whole start ranges, none of them solved for, ends lower.
TEST_P(NamedLaw, NoRandomStartBeatsTheSearch) {
  const FormulaData data = law_data(law(), GetParam(), 60, .01);
  std::mt19937_64 random(99);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1.0p-53; };
  for (const ErrorKind each : {kind(), ErrorKind::kHuberLn}) {
    if (each == ErrorKind::kHuberLn && !law().in_ln) continue;
    const FormulaFit fit = fit_formula(law(), data, {.kind = each});
    EXPECT_EQ(fit.status, FitStatus::kConverged) << fit.why;
    const FormulaObjective objective{law(), data, each, fit.delta};
    int as_good = 0;
    for (int start = 0; start < kRandomStarts; ++start) {
      std::vector<double> u;
      for (const FormulaConstant& constant : law().constants) {
        const double low = constant.to_search(constant.start_low);
        const double high = constant.to_search(constant.start_high);
        u.push_back(low + uniform() * (high - low));
      }
      if (!std::isfinite(objective.value(u.data()))) continue;
      const RefinedFormula found = refine_formula(objective, u);
      EXPECT_GE(found.objective, fit.objective * (1 - 1e-9)) << "start " << start;
      as_good += found.objective <= fit.objective * (1 + 1e-9) ? 1 : 0;
    }
    EXPECT_GT(as_good, 0) << "a test that starts nowhere near shows nothing";
  }
}

INSTANTIATE_TEST_SUITE_P(All, NamedLaw, testing::ValuesIn(law_cases()),
                         [](const auto& each) { return each.param.id; });

// Muennighoff's unique tokens are those of U that were read at all.
TEST(NamedLaws, TokensThatAreThereButUnreadAreWorthNothing) {
  int unread = 0;
  for (const Named& row : law_rows("repeated", 60)) unread += row.at("D") < row.at("U") ? 1 : 0;
  EXPECT_GT(unread, 10) << "the laws' own cases must hold such rows";
  EXPECT_LT(unread, 50);
  for (const char* id : {"repeated_data", "repeated"}) {
    const FormulaLaw& law = *find_formula_law(id);
    std::vector<double> constants;
    for (const FormulaConstant& each : law.constants) constants.push_back(*each.published);
    const auto loss = [&](double unique) {
      const std::map<std::string, double> row = {{"N", 1e10}, {"D", 1e9}, {"U", unique}};
      std::vector<double> columns;
      for (const std::string& column : law.formula.columns()) columns.push_back(row.at(column));
      return law.value(constants, columns);
    };
    EXPECT_EQ(loss(1e9), loss(1e11)) << id;
    EXPECT_GT(loss(1e8), loss(1e9)) << id;
  }
}

TEST(NamedLaws, EveryOneHasACase) {
  std::vector<std::string> cases, laws;
  for (const LawCase& each : law_cases()) cases.push_back(each.id);
  for (const FormulaLaw& law : named_formula_laws()) laws.push_back(law.id);
  EXPECT_EQ(cases, laws);
}

}  // namespace
}  // namespace scalelaw
