// What a run would have cost at the best batch for the one or the other: Kaplan et al. 2020, 5.4
// and 5.5 (McCandlish et al. 2018, 2.11). Compute is C = 6 N B S FLOPs, B in tokens.
//
//   S_min = S / (1 + B_crit(L) / B)    steps at a batch far above B_crit
//   C_min = C / (1 + B / B_crit(L))    compute at a batch far below, = 6 N B_crit S_min
#pragma once

#include <span>
#include <vector>

#include "analysis/kaplan/critical_batch.h"
#include "analysis/kaplan/smoothing.h"

namespace scalelaw {

inline constexpr double kPetaflopDay = 8.64e19;  // FLOPs

struct CurvePoint {
  double n = 0, loss = 0;
  double c = 0, s = 0;          // as spent
  double c_min = 0, s_min = 0;  // 0: without a law of B_crit
};

struct AdjustedCurve {
  std::size_t run = 0;
  double n = 0, batch = 0;
  std::vector<CurvePoint> points;  // by s; by c_min too, where there is one
};

// Without `critical` c_min and s_min stay 0. Points whose C_min would not be above the one before,
// which a rise of the loss makes, are left out.
AdjustedCurve adjust(const SmoothCurve& curve, const CriticalBatch* critical);

}  // namespace scalelaw
