// What Kaplan's chain says of data: early stopping, and where compute asks too much of them.
#include <gtest/gtest.h>

#include "analysis/kaplan/chain_limits_text.h"
#include "tests/analysis/kaplan_curves.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

// L(C_min) and N* as Kaplan et al. 2020 print them, C in PF-days.
LowestCurveLaw published_law() {
  LowestCurveLaw law;
  law.status = FitStatus::kConverged;
  law.least_c = 1e-5 * kPetaflopDay;
  law.most_c = 10 * kPetaflopDay;
  law.loss.centre_x = std::log(3.1e8 * kPetaflopDay);
  law.loss.slope = -.050;
  law.size.centre_x = std::log(kPetaflopDay);
  law.size.centre_y = std::log(1.3e9);
  law.size.slope = .73;
  return law;
}

// (C_c/C)^a = (D_c/D)^b with D = C / (3 n C^p), all in PF-days: one line in logs.
double closed_form_ln_c(double a, double ln_c_c, double b, double d_c, double n, double p) {
  const double ln_d_one = std::log(kPetaflopDay / 3 / n);
  return (a * ln_c_c - b * (std::log(d_c) - ln_d_one)) / (a - b * (1 - p));
}

TEST(KaplanLimits, PublishedLawsMeetWhereThePaperSays) {
  const DataLimit limit = find_data_limit(published_law(), published_data_law());
  ASSERT_TRUE(limit.stands()) << limit.why;
  const double ln_c = closed_form_ln_c(.050, std::log(3.1e8), .095, 5.4e13, 1.3e9, .73);
  EXPECT_NEAR(std::log(limit.c_min / kPetaflopDay), ln_c, 1e-9);
  EXPECT_NEAR(limit.loss, std::pow(5.4e13 / limit.d, .095), 1e-9);
  EXPECT_NEAR(limit.d / (2 * limit.c_min / (6 * limit.n)), 1, 1e-9);
  // The paper rounds to powers of ten.
  EXPECT_NEAR(std::log10(limit.c_min / kPetaflopDay), 4, .5);
  EXPECT_NEAR(std::log10(limit.n), 12, .5);
  EXPECT_NEAR(std::log10(limit.d), 12, .6);
  EXPECT_NEAR(limit.loss, 1.7, .1);
}

TEST(KaplanLimits, LawsThatDoNotMeetSayWhy) {
  const DataLimit never = find_data_limit(published_law(), data_law("(1e3/D)^.3", ""));
  EXPECT_FALSE(never.stands());
  EXPECT_NE(never.why.find("stays below"), std::string::npos) << never.why;
  for (const char* formula : {"30", "ln(0*D)"}) {
    const DataLimit above = find_data_limit(published_law(), data_law(formula, ""));
    EXPECT_FALSE(above.stands()) << formula;
    EXPECT_NE(above.why.find("where runs are"), std::string::npos) << above.why;
  }
  EXPECT_THROW(data_law("(D_c/D)^.1", ""), ConfigError);
  EXPECT_THROW(data_law("(1e13/L)^.1", ""), ConfigError);
}

// Curves of endless text that leave it, as the power 4 of steps, where they have read `stops`.
CurveData with_repeats(const KaplanDesign& design, double last_step) {
  std::mt19937_64 random(5);
  CurveData data = draw_curves(design, random);
  const std::size_t sizes = data.curves.size();
  for (std::size_t i = 0; i < sizes; ++i) {
    TrainingCurve curve = data.curves[i];
    curve.name += "_little";
    curve.unique = 2e9;
    for (std::size_t k = 0; k < curve.step.size(); ++k) {
      if (curve.step[k] > curve.warmup) curve.loss[k] += .05 * std::pow(curve.step[k] / 4e4, 4);
    }
    while (curve.step.back() > last_step) {
      curve.step.pop_back();
      curve.loss.pop_back();
    }
    data.curves.push_back(std::move(curve));
  }
  return data;
}

Chain chain_of(const CurveData& data, int replicates) {
  ChainOptions options;
  options.bootstrap = {replicates, 1, 2};
  return find_chain(data, published_critical_batch(), options);
}

TEST(KaplanLimits, ALossStopsToFallNoEarlierThanTheBound) {
  KaplanDesign design;
  design.run_noise = design.evaluation_noise = 0;
  const Chain chain = chain_of(with_repeats(design, 1e9), 120);
  ASSERT_EQ(chain.stops.size(), 11u);
  for (const EarlyStop& stop : chain.stops) {
    EXPECT_TRUE(stop.rose) << stop.name;
    EXPECT_EQ(stop.unique, 2e9);
    // Endless text would have the same loss, or less, at the steps where this one is least.
    EXPECT_GT(stop.loss, design.truth.loss(stop.n, 4e4, design.batch) * .98) << stop.name;
    const double above = stop.loss - std::pow(chain.joint.n_c / stop.n, chain.joint.a_n);
    EXPECT_NEAR(stop.bound, chain.joint.s_c * std::pow(above, -1 / chain.joint.a_s),
                1e-9 * stop.bound);
    EXPECT_GT(stop.s_min, stop.bound) << stop.name;
    EXPECT_LT(stop.s_min, 4 * stop.bound) << stop.name;
    ASSERT_TRUE(stop.bound_interval);
    EXPECT_LE(stop.bound_interval->low, stop.bound);
    EXPECT_GE(stop.bound_interval->high, stop.bound);
  }
  // Laws are of endless text alone.
  EXPECT_EQ(chain.joint.runs, 11);
  EXPECT_NEAR(chain.joint.a_n, design.truth.a_n, 2e-4);
}

TEST(KaplanLimits, ARunThatStillFellIsSaidToHaveEndedTooEarly) {
  KaplanDesign design;
  const CurveData data = with_repeats(design, 1.2e4);
  const Chain chain = chain_of(data, 0);
  ASSERT_EQ(chain.stops.size(), 11u);
  Document document;
  add_early_stops(document, chain);
  const std::string text = to_markdown(document, "");
  EXPECT_NE(text.find("not seen"), std::string::npos) << text;
  EXPECT_NE(text.find("of 0 runs"), std::string::npos) << text;
}

}  // namespace
}  // namespace scalelaw
