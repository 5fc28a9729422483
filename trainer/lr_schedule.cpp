#include "trainer/lr_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace scalelaw {

double learning_rate_at(const ScheduleConfig& schedule, double peak, int64_t step, int64_t steps) {
  const auto warmup = static_cast<int64_t>(std::rint(schedule.warmup * static_cast<double>(steps)));
  if (step < warmup) return peak * static_cast<double>(step + 1) / static_cast<double>(warmup);
  const auto span = static_cast<double>(std::max<int64_t>(1, steps - 1 - warmup));
  const double share = static_cast<double>(step - warmup) / span;
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * share));
  return peak * (schedule.final + (1.0 - schedule.final) * cosine);
}

}  // namespace scalelaw
