#include "analysis/predict/surface_fit.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "analysis/fitting/distributions.h"
#include "analysis/fitting/new_point.h"
#include "analysis/fitting/robust_refine.h"
#include "analysis/predict/measured_coverage.h"
#include "analysis/predict/optimal_size.h"
#include "tests/analysis/coverage_share.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/atomic_file.h"
#include "trainer/fit_file.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

constexpr double kAlpha = .3, kBeta = .35, kA = 8, kB = 90, kE = 1.2;

std::vector<Observation> grid(double noise) {
  std::vector<Observation> rows;
  int i = 0;
  for (double n = 1e4; n < 2e6; n *= 3) {
    for (double d = 2e5; d < 4e7; d *= 4) {
      const double loss = kE + kA * std::pow(n, -kAlpha) + kB * std::pow(d, -kBeta);
      rows.push_back({n, d, loss * std::exp(noise * std::cos(7.0 * i++)), 1});
    }
  }
  return rows;
}

OptimalSize optimum_of(const std::vector<Observation>& rows) {
  const FitData data(rows);
  return optimal_size(data, fit_robust(chinchilla_law(), data, {.huber_delta = kLeastSquares}),
                      kLeastSquares);
}

TEST(NewPoint, KnownNoiseIsPooledWithResidualsThatAreSmaller) {
  const double by_residuals = f_quantile(.95, 1, 3) * .5 / 3;
  EXPECT_EQ(allowed_rise(.5, 3, {}, .95), by_residuals);
  EXPECT_EQ(allowed_rise(3, 3, {1, 16}, .95), f_quantile(.95, 1, 3)) << "they are no smaller";
  EXPECT_NEAR(allowed_rise(0, 3, {1, 16}, .95), f_quantile(.95, 1, 19) * 16 / 19, 1e-12);
}

TEST(NewPoint, WhatWasMeasuredIsSaidWhereKnownNoiseWidensTheInterval) {
  EXPECT_NE(measured_coverage({1, 2}, .95).find("from 95% to 100% held the loss"),
            std::string::npos);
  EXPECT_EQ(measured_coverage({}, .95), "") << "it holds as often as it says";
  EXPECT_EQ(measured_coverage({1, 2}, .9), "") << "not simulated";
}

TEST(NewPoint, ALuckySurfaceIsNoNarrowerThanTheKnownNoise) {
  const FitData data(grid(1e-6));
  const Law& law = chinchilla_law();
  const FitResult best = fit_robust(law, data, {.huber_delta = kLeastSquares});
  const CentredScale at = data.centred(4e6, 1e8);
  const double sd = .01;
  const auto lucky = new_point_interval(law, data, best, {at, 1}, .95);
  const auto known = new_point_interval(law, data, best, {at, 1, {sd * sd, 16}}, .95);
  ASSERT_TRUE(lucky && known);
  EXPECT_LT(lucky->high - lucky->low, 1e-4);
  EXPECT_GT(known->high - known->low, 2 * sd);
}

TEST(OptimalSize, IsWhereNoOtherSizeOfTheBudgetHasALowerLoss) {
  const OptimalSize found = optimum_of(grid(1e-4));
  ASSERT_EQ(found.status, FitStatus::kConverged) << found.why;
  EXPECT_NEAR(found.exponent, kBeta / (kAlpha + kBeta), 3e-3);
  const auto loss = [](double n, double c) {
    return kE + kA * std::pow(n, -kAlpha) + kB * std::pow(c / (6 * n), -kBeta);
  };
  for (const double c : {1e12, 1e16}) {
    const double best = found.coefficient * std::pow(c, found.exponent);
    EXPECT_LT(loss(best, c), loss(best * 1.1, c));
    EXPECT_LT(loss(best, c), loss(best / 1.1, c));
  }
}

TEST(OptimalSize, AnExponentThatTheRunsLeaveOpenIsNotIdentified) {
  const OptimalSize found = optimum_of(grid(.1));
  EXPECT_NE(found.status, FitStatus::kConverged)
      << found.exponent << " +- " << found.standard_error;
  EXPECT_NE(found.why, "");
  const OptimalSize good = optimum_of(grid(.001));
  EXPECT_EQ(good.status, FitStatus::kConverged) << good.why;
  EXPECT_TRUE(good.interval->contains(kBeta / (kAlpha + kBeta)));
}

// At both ends of the grid's budgets, and ten times beyond them: one look a fit.
TEST(OptimalSize, TheIntervalOfABudgetsSizeHoldsTheTrueOne) {
  const double exponent = kBeta / (kAlpha + kBeta);
  const double g = std::pow(kAlpha * kA / (kBeta * kB), 1 / (kAlpha + kBeta));
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0, .002);
  const std::array budgets = {1.2e10, 1e13, 1e15};
  constexpr int kFits = 600;
  int held = 0;
  for (std::size_t i = 0; i < kFits; ++i) {
    std::vector<Observation> rows = grid(0);
    for (Observation& row : rows) row.loss *= std::exp(noise(random));
    const OptimalSize found = optimum_of(rows);
    ASSERT_EQ(found.status, FitStatus::kConverged) << found.why;
    const double c = budgets[i % budgets.size()];
    const double reach =
        std::hypot(found.ln_reach, found.exponent_reach * std::log(c / found.best_known));
    const double off = std::log(found.coefficient / g) + exponent * std::log(6) +
                       (found.exponent - exponent) * std::log(c);
    held += std::abs(off) <= reach ? 1 : 0;
    EXPECT_LT(reach, 3);
  }
  std::printf("%s\n", share(held, kFits).c_str());
  EXPECT_TRUE(covers(held, kFits, .94, .97));
}

class FitLawProgram : public testing::Test {
 protected:
  static std::vector<SyntheticRun> surface(const std::string& arm, double noise = .0005) {
    std::vector<SyntheticRun> runs;
    for (const int64_t width : {16, 24, 32, 48, 64}) {
      for (const int64_t steps : {300, 1000, 3000, 9000}) {
        SyntheticRun run;
        run.arm = arm;
        run.d_model = width;
        run.train_tokens = 1024 * steps;
        run.learning_rate = .08 / std::sqrt(static_cast<double>(width * steps));
        const double n = 24.0 * static_cast<double>(width * width);
        run.loss_nats = kE + kA * std::pow(n, -kAlpha) +
                        kB * std::pow(static_cast<double>(run.train_tokens), -kBeta) +
                        noise * std::cos(static_cast<double>(7 * width + steps));
        runs.push_back(run);
      }
    }
    return runs;
  }
  ProgramResult fit(std::vector<std::string> more) const {
    more.insert(more.begin(), {"scalelaw-fit", "fit", record_.string()});
    return run_program(more);
  }

  TempDir temp_;
  fs::path runs_ = temp_.path() / "runs", file_ = temp_.path() / "fit.json", record_;
};

TEST_F(FitLawProgram, WritesWhatASweepTakes) {
  record_ = write_synthetic_sweep(runs_, "s", surface("transformer"));
  const ProgramResult result = fit({"--law", "chinchilla", "--out", file_.string()});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("L = E + A N^-alpha + B D^-beta, 20 runs"), std::string::npos)
      << result.output;
  EXPECT_NE(result.output.find("fit: converged"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("where C = 6 N D of this N (six_n)"), std::string::npos)
      << result.output;
  const FitFile file = fit_file_from_json(read_whole_file(file_));
  ASSERT_EQ(file.laws.size(), 1u);
  const FittedLaw& law = file.laws[0];
  EXPECT_EQ(law.quantity, FittedQuantity::kNOpt);
  EXPECT_EQ(law.n_count, NCount::kNonEmbedding);
  EXPECT_EQ(law.c_count, CCount::kSixN);
  EXPECT_NEAR(law.exponent, kBeta / (kAlpha + kBeta), .05);
  EXPECT_NEAR(law.low, 6 * 24.0 * 256 * 1024 * 300, 1);
  EXPECT_NEAR(law.high, 6 * 24.0 * 4096 * 1024 * 9000, 1);
  EXPECT_TRUE(law.exponent_standard_error);
  EXPECT_EQ(law.n_range, (FitRange{24.0 * 256, 24.0 * 4096}));
  EXPECT_EQ(law.d_range, (FitRange{1024 * 300, 1024 * 9000}));
  ASSERT_TRUE(law.interval);
  const FitRange known = *law.interval_at(law.high);
  EXPECT_TRUE(known.holds(law.at(law.high)));
  EXPECT_NE(result.output.find("at C " + human(law.high) + " (95%, coefficient and exponent"),
            std::string::npos)
      << result.output;
  EXPECT_EQ(law.from.runs.size(), 20u);

  const ProgramResult json = fit({"--law", "chinchilla", "--json"});
  const auto read = nlohmann::json::parse(json.output);
  EXPECT_EQ(read.at("status"), "converged");
  EXPECT_EQ(read.at("n_opt").at("exponent").get<double>(), law.exponent);
  EXPECT_TRUE(read.at("constants").contains("beta"));
}

TEST_F(FitLawProgram, KeepsOtherLawsAndOverwritesNothingElse) {
  record_ = write_synthetic_sweep(runs_, "s", surface("transformer"));
  FitFile there{.laws = {{.quantity = FittedQuantity::kCriticalBatch,
                          .variable = FitVariable::kTokens,
                          .coefficient = 3,
                          .exponent = .5,
                          .low = 1e6,
                          .high = 1e9,
                          .from = {"by hand", "", "2026-01-31T12:00:00Z", {}}}}};
  write_fit_file(file_, there);
  ASSERT_EQ(fit({"--law", "chinchilla", "--out", file_.string()}).exit_code, 0);
  const FitFile file = fit_file_from_json(read_whole_file(file_));
  ASSERT_NE(file.find(FittedQuantity::kNOpt), nullptr);
  ASSERT_NE(file.find(FittedQuantity::kCriticalBatch), nullptr);
  EXPECT_EQ(*file.find(FittedQuantity::kCriticalBatch), there.laws[0]);
  fs::rename(file_, temp_.path() / "linked.json");
  fs::create_symlink("linked.json", file_);
  ASSERT_EQ(fit({"--law", "chinchilla", "--out", file_.string()}).exit_code, 0);
  EXPECT_TRUE(fs::is_symlink(file_)) << "what it leads to is written";
  fs::remove(file_);
  std::ofstream(file_) << "my notes";
  const ProgramResult refused = fit({"--law", "chinchilla", "--out", file_.string()});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("is there and is no file of fits"), std::string::npos)
      << refused.output;
  EXPECT_EQ(read_whole_file(file_), "my notes");
}

TEST_F(FitLawProgram, WritesNoLawThatDoesNotStand) {
  record_ = write_synthetic_sweep(runs_, "s", surface("transformer", .6));
  ProgramResult result = fit({"--law", "chinchilla", "--out", file_.string()});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  fs::remove_all(runs_);
  record_ = write_synthetic_sweep(runs_, "s", surface("transformer"));
  result = fit({"--law", "chinchilla", "--n-count", "total", "--out", file_.string()});
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("no count of FLOPs for N counted as total"), std::string::npos)
      << result.output;
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(FitLawProgram, RefusesBadOptions) {
  std::vector<SyntheticRun> runs = surface("a");
  for (SyntheticRun& run : surface("b")) {
    run.seed = 2;
    runs.push_back(run);
  }
  record_ = write_synthetic_sweep(runs_, "s", runs);
  const auto fault = [&](const std::vector<std::string>& more) {
    const ProgramResult result = fit(more);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    return result.output;
  };
  EXPECT_NE(fault({"--law", "chinchilla"}).find("choose with --arm: a, b"), std::string::npos);
  EXPECT_NE(fault({"--law", "chinchilla", "--arm", "c"}).find("--arm c: no run is of it"),
            std::string::npos);
  EXPECT_NE(fault({"--law", "kaplan"}).find("--law kaplan: there is no such law"),
            std::string::npos);
  EXPECT_NE(fault({"--arm", "a"}).find("--law"), std::string::npos);
  EXPECT_NE(fault({"--law", "chinchilla", "--tokens", "1M"}).find("--tokens"), std::string::npos);
  EXPECT_EQ(fit({"--law", "chinchilla", "--arm", "b"}).exit_code, 0);
}

}  // namespace
}  // namespace scalelaw
