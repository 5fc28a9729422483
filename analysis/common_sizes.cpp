#include "analysis/common_sizes.h"

#include <algorithm>
#include <cmath>

#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string range_text(const ArmLaws& arm) {
  return arm.arm + " from " + human(arm.cells.front().n) + " to " + human(arm.cells.back().n);
}

ArmLaws within(const ArmLaws& arm, double low, double high, std::vector<LeftOutSize>& left_out) {
  ArmLaws out;
  out.arm = arm.arm;
  out.n_count = arm.n_count;
  out.noise = arm.noise;
  for (std::size_t i = 0; i < arm.cells.size(); ++i) {
    const double n = arm.cells[i].n;
    if (n < low || n > high) {
      left_out.push_back({arm.arm, n});
      continue;
    }
    out.cells.push_back(arm.cells[i]);
    if (!arm.windows.empty()) out.windows.push_back(arm.windows[i]);
  }
  return out;
}

void weigh_anew(ArmLaws& a, ArmLaws& b) {
  std::vector<std::vector<SizeCell>> cells = {std::move(a.cells), std::move(b.cells)};
  if (a.noise.evaluation_known) {
    set_evaluation_variances(a.windows, cells[0]);
    set_evaluation_variances(b.windows, cells[1]);
  }
  CellNoise noise = weigh_cells(cells, a.noise.seed);
  noise.evaluation_known = a.noise.evaluation_known;
  a.noise = b.noise = noise;
  a.cells = std::move(cells[0]);
  b.cells = std::move(cells[1]);
}

}  // namespace

CommonSizes common_sizes(const ArmLaws& a, const ArmLaws& b, double level) {
  CommonSizes out;
  out.shared_low = std::max(a.cells.front().n, b.cells.front().n);
  out.shared_high = std::min(a.cells.back().n, b.cells.back().n);
  if (out.shared_low > out.shared_high) {
    out.why = "they share no range of N (" + range_text(a) + ", " + range_text(b) +
              "), and slopes of a law that bends differ between ranges";
    return out;
  }
  const double low = out.shared_low / kRangeMargin, high = out.shared_high * kRangeMargin;
  out.a = within(a, low, high, out.left_out);
  out.b = within(b, low, high, out.left_out);
  for (const ArmLaws* arm : {&out.a, &out.b}) {
    const auto sizes = static_cast<int>(arm->cells.size());
    if (sizes >= kFewestSizesForPowerLaw) continue;
    out.why = "only " + std::to_string(sizes) + (sizes == 1 ? " size" : " sizes") + " of " +
              arm->arm + (sizes == 1 ? " lies" : " lie") + " in the range of N that both cover (" +
              human(out.shared_low) + " to " + human(out.shared_high) +
              "); a slope with an interval needs " + std::to_string(kFewestSizesForPowerLaw);
    return out;
  }
  if (!out.left_out.empty()) weigh_anew(out.a, out.b);
  for (ArmLaws* arm : {&out.a, &out.b}) {
    arm->power = fit_line_of(arm->cells, arm->windows, level);
    // A loss that rises has a line too, and a slope to compare.
    if (std::isfinite(arm->power.slope_standard_error) || !out.why.empty()) continue;
    out.why = "arm " + arm->arm + ": " + arm->power.why;
  }
  return out;
}

}  // namespace scalelaw
