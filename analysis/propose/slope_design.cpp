#include "analysis/propose/slope_design.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/fitting/distributions.h"
#include "analysis/weighted_line.h"

namespace scalelaw {

double SlopeDesign::half_width() const {
  std::vector<LinePoint> points;
  for (const DesignCell& c : cells) {
    const double variance = size_variance + seed_variance / c.seeds + c.evaluation_variance;
    points.push_back({c.ln_n, 0, variance > 0 ? 1 / variance : 1});
  }
  const double of_line = scale / fit_line(points).sum_xx;
  const double df =
      satterthwaite_df(std::array{VariancePart{of_line, static_cast<double>(cells.size()) - 2},
                                  VariancePart{text_variance, kBlockDf}});
  return student_t_quantile(0.5 + 0.5 * level, df) * std::sqrt(of_line + text_variance);
}

SlopeDesign SlopeDesign::with_size(double ln_n) const {
  SlopeDesign more = *this;
  DesignCell cell{ln_n};
  for (const DesignCell& c : cells) {
    cell.evaluation_variance += c.evaluation_variance / static_cast<double>(cells.size());
  }
  more.cells.push_back(cell);
  return more;
}

SlopeDesign SlopeDesign::with_seed(std::size_t cell) const {
  SlopeDesign more = *this;
  ++more.cells.at(cell).seeds;
  return more;
}

std::optional<SlopeDesign> design_of(const ArmLaws& laws, double level) {
  const PowerLawFit& fit = laws.power;
  if (fit.sizes < kFewestSizesForPowerLaw || fit.df < 1 ||
      !std::isfinite(fit.slope_standard_error)) {
    return {};
  }
  SlopeDesign design;
  for (const SizeCell& c : laws.cells) {
    design.cells.push_back({std::log(c.n), c.seeds(), c.evaluation_variance});
  }
  design.size_variance = std::pow(laws.noise.size_sd, 2);
  design.seed_variance = std::pow(laws.noise.seed.sd_ln_loss, 2);
  design.scale = fit.line.weighted_rss / fit.df;
  design.text_variance =
      std::max(0.0, std::pow(fit.slope_standard_error, 2) - design.scale / fit.line.sum_xx);
  design.level = level;
  return design;
}

}  // namespace scalelaw
