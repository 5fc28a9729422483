#include "analysis/figures/figure.h"

#include <cmath>

namespace scalelaw {

std::vector<double> log_ticks(double low, double high) {
  // The coarsest step of 1, 2, 5 times a power of ten that gives at least four ticks; equal steps
  // read well while the axis spans a factor of a few.
  if (high / low > 8) {
    std::vector<double> ticks;
    for (int e = static_cast<int>(std::floor(std::log10(low))); e <= std::log10(high) + 1; ++e) {
      for (const double m : {1.0, 2.0, 5.0}) {
        const double tick = m * std::pow(10.0, e);
        if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push_back(tick);
      }
    }
    return ticks;
  }
  double step = std::pow(10.0, std::floor(std::log10(high - low)));
  for (const double divisor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    std::vector<double> ticks;
    const double width = step / divisor;
    for (double k = std::ceil(low / width - 1e-9); k * width <= high * (1 + 1e-9); ++k) {
      ticks.push_back(k * width);
    }
    if (ticks.size() >= 4) return ticks;
  }
  return {low, high};
}

}  // namespace scalelaw
