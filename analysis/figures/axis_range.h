// What the figures of runs share: the ends of an axis, its label, a run's name, the room for names.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "analysis/arm_laws.h"
#include "analysis/figures/figure.h"
#include "trainer/number.h"

namespace scalelaw {

inline constexpr std::size_t kLongestName = 28;  // characters of an arm's name in a legend

// Grows to hold what a panel shows, then leaves a margin of `share` of its length.
struct AxisRange {
  double low = HUGE_VAL, high = -HUGE_VAL;
  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  void on(Axis& axis, double share) const {
    if (low > high) return;
    if (axis.scale == AxisScale::kLog) {
      const double factor = std::pow(std::max(high / low, 1.05), share);
      axis.low = low / factor;
      axis.high = high * factor;
    } else {
      const double margin = share * std::max(high - low, 1e-9);
      axis.low = low - margin;
      axis.high = high + margin;
    }
  }
};

inline std::string size_label(NCount n_count) {
  return "N, " + std::string(in_words(n_count));
}

// For who points at it: "lstm_l1w14-50a719b52dd6, N 1.57k, seeds 1 and 1".
inline std::string run_name(const RunRow& row, NCount n_count) {
  return row.folder_name + ", N " + human(row.n(n_count)) + ", seeds " +
         std::to_string(row.record.seed_init) + " and " + std::to_string(row.record.seed_data);
}

inline std::string loss_label(const Selection& selection) {
  return "test loss, " + std::string(unit(selection.metric));
}

}  // namespace scalelaw
