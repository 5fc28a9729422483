// The covariance that the planner takes for Besiroglu et al.'s constants is what a bootstrap over
// their rows gives.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "analysis/fitting/robust_refine.h"
#include "analysis/published/published_laws.h"
#include "tests/analysis/bootstrap_covariance.h"
#include "tests/analysis/epoch_rows.h"

namespace scalelaw {
namespace {

constexpr int kReplicates = 2000;

TEST(PublishedCovariance, IsTheBootstrapsOverTheRowsThatTheConstantsWereFittedTo) {
  const std::vector<Observation> rows = epoch_rows();
  if (rows.empty()) GTEST_SKIP() << "no epoch_chinchilla data: set SCALELAW_TEST_DATA";
  const FitData data(rows);
  const FitResult best = fit_robust(chinchilla_law(), data, {.huber_delta = 1e-3});
  const BootstrapResult result = bootstrapped(data, best, kReplicates, 2);
  EXPECT_LE(result.stuck, kReplicates / 100);
  const std::array<double, 15> found = covariance_of(result.fitted);
  const PublishedCovariance* published = published_covariance("epoch");
  ASSERT_NE(published, nullptr);
  EXPECT_NEAR(published->ln_n_centre, data.centre.ln_n, 1e-6);
  EXPECT_NEAR(published->ln_d_centre, data.centre.ln_d, 1e-6);
  const auto diagonal = [&](std::size_t i) { return i * (i + 1) / 2 + i; };
  std::size_t next = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t j = 0; j <= i; ++j, ++next) {
      const double scale = std::sqrt(found[diagonal(i)] * found[diagonal(j)]);
      EXPECT_NEAR(published->lower[next], found[next], 1e-3 * scale) << i << ' ' << j;
    }
  }
  // Besiroglu et al. print .0154 of alpha and .0206 of beta.
  EXPECT_NEAR(std::sqrt(found[0]), .0154, .002);
  EXPECT_NEAR(std::sqrt(found[diagonal(1)]), .0206, .002);
}

}  // namespace
}  // namespace scalelaw
