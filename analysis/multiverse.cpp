#include "analysis/multiverse.h"

#include <algorithm>

#include "analysis/fitting/robust_refine.h"

namespace scalelaw {
namespace {

constexpr double kAlmostAbsolute = 1e-3;  // Hoffmann et al. 2022, approach 3

std::optional<double> robust_slope(const FitData& data, double delta) {
  const FitResult fit = fit_robust(power_law(), data, {.huber_delta = delta});
  if (fit.status != FitStatus::kConverged) return std::nullopt;
  return fit.theta[0];
}

std::vector<SizeCell> without(std::vector<SizeCell> cells, SizesLeftOut left_out) {
  if (left_out == SizesLeftOut::kSmallest) cells.erase(cells.begin());
  if (left_out == SizesLeftOut::kLargest) cells.pop_back();
  return cells;
}

MultiverseRow row_of(const ArmLaws& arm, SizesLeftOut left_out, double level) {
  const std::vector<SizeCell> cells = without(arm.cells, left_out);
  MultiverseRow row{arm.n_count, left_out, static_cast<int>(cells.size()), {}, {}, {}, {}};
  const PowerLawFit line = fit_line_of(cells, {}, level);
  if (line.status == FitStatus::kConverged) row.least_squares = line.slope;
  const FitData runs(run_clusters(cells).observations);
  row.huber = robust_slope(runs, default_huber_delta(power_law(), runs));
  row.absolute = robust_slope(runs, kAlmostAbsolute);
  if (row.sizes > kFewestSizesForFloor) {
    const FloorFit floor = fit_floor(cells, level, {.replicates = 0});
    if (floor.least_squares.status == FitStatus::kConverged && floor.floor.low_bounded) {
      row.floor_alpha = floor.least_squares.theta[0];
    }
  }
  return row;
}

}  // namespace

std::string_view in_words(SizesLeftOut left_out) {
  switch (left_out) {
    case SizesLeftOut::kNone:
      return "all sizes";
    case SizesLeftOut::kSmallest:
      return "without the smallest";
    case SizesLeftOut::kLargest:
      break;
  }
  return "without the largest";
}

std::vector<double> Multiverse::slopes() const {
  std::vector<double> all;
  for (const MultiverseRow& row : rows) {
    for (const auto& slope : {row.least_squares, row.huber, row.absolute}) {
      if (slope) all.push_back(*slope);
    }
  }
  return all;
}

std::vector<Multiverse> multiverse(const RunTable& table, const LawOptions& options) {
  LawOptions lines = options;
  lines.bootstrap_replicates = 0;
  std::vector<Multiverse> all;
  for (const std::string& arm : table.arms()) all.push_back({arm, {}});
  for (const NCount count :
       {NCount::kNonEmbedding, NCount::kNonEmbeddingPlusHead, NCount::kTotal}) {
    if (std::ranges::none_of(table.rows, [&](const RunRow& row) { return row.n(count) > 0; })) {
      continue;
    }
    const std::vector<ArmLaws> arms = fit_arms(table, count, lines);
    for (std::size_t k = 0; k < arms.size(); ++k) {
      for (const SizesLeftOut left_out :
           {SizesLeftOut::kNone, SizesLeftOut::kSmallest, SizesLeftOut::kLargest}) {
        const int sizes =
            static_cast<int>(arms[k].cells.size()) - (left_out == SizesLeftOut::kNone ? 0 : 1);
        if (sizes < kFewestSizesForPowerLaw) continue;
        all[k].rows.push_back(row_of(arms[k], left_out, options.level));
      }
    }
  }
  return all;
}

MultiverseDifference difference(const Multiverse& a, const Multiverse& b) {
  MultiverseDifference out{a.arm, b.arm};
  for (const MultiverseRow& of_a : a.rows) {
    const auto of_b = std::ranges::find_if(b.rows, [&](const MultiverseRow& row) {
      return row.n_count == of_a.n_count && row.left_out == of_a.left_out;
    });
    if (of_b == b.rows.end()) continue;
    for (const auto slope :
         {&MultiverseRow::least_squares, &MultiverseRow::huber, &MultiverseRow::absolute}) {
      if (!(of_a.*slope) || !((*of_b).*slope)) continue;
      const double value = *(of_a.*slope) - *((*of_b).*slope);
      out.low = out.ways == 0 ? value : std::min(out.low, value);
      out.high = out.ways == 0 ? value : std::max(out.high, value);
      ++out.ways;
      out.positive += value > 0;
    }
  }
  return out;
}

}  // namespace scalelaw
