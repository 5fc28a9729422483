#include "analysis/propose/slope_proposals.h"

#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"
#include "analysis/propose/slope_design.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kMostSizesAbove = 2, kMostSizesBelow = 1, kMostSeedsASize = 8, kMostPicks = 40;
constexpr double kNoScatter = 1e-9;  // of a slope: rounding
constexpr double kBends = 0.1;       // p of a quadratic term

// Median of ln N from size to size; a factor of 2 where there is one size.
double step_of(const std::vector<SizeCell>& cells) {
  std::vector<double> steps;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    steps.push_back(std::log(cells[i].n / cells[i - 1].n));
  }
  if (steps.empty()) return std::log(2.0);
  const auto middle = steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2);
  std::nth_element(steps.begin(), middle, steps.end());
  return std::clamp(*middle, std::log(1.25), std::log(4.0));
}

bool bends(const ArmLaws& laws) {
  return laws.power.curvature_p.value_or(1) < kBends;
}

double cost_of(const ProposedCell& cell) {
  return cell.flops > 0 ? cell.flops : cell.n;  // without D at least what size makes of it
}

// An arm's design while runs are added to it.
class GrowingDesign {
 public:
  GrowingDesign(const RunTable& table, const ArmLaws& laws, const ArmSettings& settings,
                SlopeDesign design, std::optional<double> flops)
      : arm_(laws.arm),
        settings_(settings),
        design_(std::move(design)),
        most_flops_(flops.value_or(HUGE_VAL)),
        step_(step_of(laws.cells)),
        seeds_help_(laws.noise.seed.df > 0 && laws.noise.seed.sd_ln_loss > 0 && !bends(laws)),
        most_below_(bends(laws) ? 0 : kMostSizesBelow),
        seen_(design_.half_width()) {
    for (const SizeCell& c : laws.cells) {
      cells_.push_back(settings.of_measured(table.rows[c.rows.front()]));
    }
  }

  // nullopt: none is worth its kLeastGain.
  std::optional<Proposal> next() {
    best_ = {};
    for (std::size_t i = 0; seeds_help_ && i < design_.cells.size(); ++i) {
      if (design_.cells[i].seeds >= kMostSeedsASize) continue;
      consider(cells_[i], design_.with_seed(i),
               cells_[i].measured ? "a seed more there makes its mean surer"
                                  : "a seed more of that new size makes its mean surer");
    }
    const auto [low, high] = std::ranges::minmax_element(design_.cells, {}, &DesignCell::ln_n);
    if (below_ < most_below_) consider_size(low->ln_n, -step_, "below the smallest");
    if (above_ < kMostSizesAbove) consider_size(high->ln_n, step_, "above the largest");
    if (!best_.proposal) return {};
    if (best_.design.cells.size() > design_.cells.size()) {
      ++(best_.design.cells.back().ln_n < low->ln_n ? below_ : above_);
      cells_.push_back(best_.proposal->cell);
    }
    design_ = std::move(best_.design);
    return best_.proposal;
  }

 private:
  // A step away, or two where no run can be made there.
  void consider_size(double end, double step, const std::string& where) {
    std::optional<ProposedCell> cell = settings_.at_new_size(std::exp(end + step));
    if (!cell) cell = settings_.at_new_size(std::exp(end + 2 * step));
    if (!cell) return;
    consider(*cell, design_.with_size(std::log(cell->n)),
             "a size " + where + " gives it more range and a degree of freedom");
  }

  void consider(const ProposedCell& cell, SlopeDesign design, const std::string& why) {
    if (cell.flops > most_flops_) return;
    const double gain = 1 - design.half_width() / design_.half_width();
    if (!(gain >= kLeastGain) || (best_.proposal && gain / cost_of(cell) <= best_.rate)) return;
    Proposal proposal{ProposalKind::kSlope, arm_, cell, 1, gain, ""};
    proposal.reason = "slope of " + arm_ + ", now known to within " + fixed(seen_, 4) + ": " + why;
    best_ = {proposal, std::move(design), gain / cost_of(cell)};
  }

  struct Best {
    std::optional<Proposal> proposal;
    SlopeDesign design;
    double rate = 0;
  };
  std::string arm_;
  const ArmSettings& settings_;
  SlopeDesign design_;
  double most_flops_;
  double step_;
  bool seeds_help_;
  int most_below_;
  double seen_;
  std::vector<ProposedCell> cells_;  // of design_.cells
  int below_ = 0, above_ = 0;
  Best best_;
};

ProposalList sizes_that_lack(const ArmLaws& laws, const ArmSettings& settings) {
  ProposalList list;
  const double step = step_of(laws.cells);
  double low = std::log(laws.cells.front().n), high = std::log(laws.cells.back().n);
  bool above = false;
  for (auto sizes = static_cast<int>(laws.cells.size()); sizes < kFewestSizesForPowerLaw; ++sizes) {
    above = !above;  // a line about the size that is there
    const double ln_n = above ? high += step : low -= step;
    const std::optional<ProposedCell> cell = settings.at_new_size(std::exp(ln_n));
    if (!cell) {
      list.notes.push_back("A size of " + laws.arm + " is lacking, and none near N = " +
                           human(std::exp(ln_n)) + " can be made of its shapes.");
      continue;
    }
    list.proposals.push_back(
        {ProposalKind::kNeeded,
         laws.arm,
         *cell,
         1,
         {},
         "no law of " + laws.arm + " stands: it has " + std::to_string(laws.cells.size()) +
             (laws.cells.size() == 1 ? " size" : " sizes") + ", and an interval needs " +
             std::to_string(kFewestSizesForPowerLaw)});
  }
  return list;
}

}  // namespace

ProposalList slope_proposals(const RunTable& table, const ArmLaws& laws,
                             const ArmSettings& settings, double level,
                             std::optional<double> flops) {
  ProposalList list;
  if (laws.cells.empty()) {
    list.notes.push_back("No sizes of " + laws.arm + " can be proposed: " +
                         (laws.left_out.empty() ? "it has no run at this D" : laws.left_out) + ".");
    return list;
  }
  if (static_cast<int>(laws.cells.size()) < kFewestSizesForPowerLaw) {
    return sizes_that_lack(laws, settings);
  }
  std::optional<SlopeDesign> design = design_of(laws, level);
  if (bends(laws)) {
    list.notes.push_back(laws.arm + " bends on a log-log plot (p of its quadratic term: " +
                         p_text(*laws.power.curvature_p) +
                         "): no size below its smallest is proposed for its slope, and no seeds, "
                         "which do not mend what a line misses.");
  }
  if (!design || !(design->half_width() > kNoScatter)) {
    list.notes.push_back("The slope of " + laws.arm +
                         " has no interval that more runs could narrow: " +
                         (design ? "its losses lie on the line exactly" : laws.power.why) + ".");
    return list;
  }
  GrowingDesign growing(table, laws, settings, std::move(*design), flops);
  while (static_cast<int>(list.proposals.size()) < kMostPicks) {
    std::optional<Proposal> next = growing.next();
    if (!next) break;
    list.proposals.push_back(std::move(*next));
  }
  return list;
}

}  // namespace scalelaw
