#include "trainer/lr_schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace scalelaw {
namespace {

ScheduleConfig cosine(double warmup, double final) {
  ScheduleConfig schedule;
  schedule.warmup = warmup;
  schedule.final = final;
  return schedule;
}

TEST(LrSchedule, WarmsUpLinearlyToThePeakAndNeverStartsAtZero) {
  const ScheduleConfig schedule = cosine(0.1, 0.1);
  for (int64_t step = 0; step < 10; ++step) {
    EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 2.0, step, 100),
                     2.0 * static_cast<double>(step + 1) / 10.0);
  }
}

TEST(LrSchedule, CosineSpansExactlyTheRun) {
  const ScheduleConfig schedule = cosine(0.1, 0.1);
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 1.0, 10, 100), 1.0);
  EXPECT_NEAR(learning_rate_at(schedule, 1.0, 99, 100), 0.1, 1e-15);
  // Half-way between update 10 and update 99 lies no update; two around it average to the middle.
  EXPECT_NEAR(
      0.5 * (learning_rate_at(schedule, 1.0, 54, 100) + learning_rate_at(schedule, 1.0, 55, 100)),
      0.55, 1e-12);
  const double share = 20.0 / 89.0;
  EXPECT_DOUBLE_EQ(learning_rate_at(schedule, 1.0, 30, 100),
                   0.1 + 0.9 * 0.5 * (1.0 + std::cos(std::numbers::pi * share)));
}

TEST(LrSchedule, WithoutWarmupBeginsAtThePeak) {
  EXPECT_DOUBLE_EQ(learning_rate_at(cosine(0, 0), 3.0, 0, 10), 3.0);
  EXPECT_NEAR(learning_rate_at(cosine(0, 0), 3.0, 9, 10), 0.0, 1e-15);
}

TEST(LrSchedule, TheOnlyUpdateAfterWarmupHasThePeak) {
  EXPECT_DOUBLE_EQ(learning_rate_at(cosine(0.1, 0.1), 1.0, 0, 1), 1.0);
  EXPECT_DOUBLE_EQ(learning_rate_at(cosine(0.9, 0.1), 1.0, 9, 10), 1.0);
}

}  // namespace
}  // namespace scalelaw
