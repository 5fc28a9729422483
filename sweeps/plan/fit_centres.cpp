#include "sweeps/plan/fit_centres.h"

#include <algorithm>
#include <map>

#include "sweeps/plan/plan.h"
#include "trainer/config_yaml.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

void check_reach(const SweepFit& fit, double budget) {
  const double beyond = std::max(budget / fit.law.high, fit.law.low / budget);
  if (beyond <= kFurthestBudget) return;
  throw_config_error(
      fit.file, "isoflop.centre.fit",
      "the budget of " + human(budget) + " FLOPs is " + human(beyond) +
          " times beyond what n_opt was fitted over (" + human(fit.law.low) + " to " +
          human(fit.law.high) + "), and " + canonical(kFurthestBudget) +
          " times is the most; mend the budget, fit larger runs, or write the centre "
          "as an expression");
}

FittedCentre centre_of(const SweepBlock& block, double budget) {
  const FittedLaw& law = block.centre->law;
  return {.block = block.name,
          .file = block.centre->file.text,
          .budget = budget,
          .n = law.at(budget),
          .level = law.interval ? law.interval->level : 0,
          .interval = law.interval_at(budget),
          .sizes = {}};
}

void add_block(const SweepBlock& block, const Plan& plan, std::vector<FittedCentre>& centres) {
  std::map<double, FittedCentre> by_budget;
  for (const PlannedCell& cell : plan.cells) {
    if (!cell.budget || !cell.is_of(block.name)) continue;
    check_reach(*block.centre, *cell.budget);
    FittedCentre& centre =
        by_budget.try_emplace(*cell.budget, centre_of(block, *cell.budget)).first->second;
    const std::optional<double> n = size_by(block.centre->law, cell.shape);
    if (!n) continue;
    centre.sizes.low = centre.sizes.low > 0 ? std::min(centre.sizes.low, *n) : *n;
    centre.sizes.high = std::max(centre.sizes.high, *n);
  }
  for (auto& [budget, centre] : by_budget) centres.push_back(std::move(centre));
}

}  // namespace

std::optional<double> size_by(const FittedLaw& law, const ModelShape& shape) {
  const std::optional<ModelCounts> counts = count(shape);
  if (!counts) return std::nullopt;
  return n_params(shape, *counts, law.n_count.value());
}

std::vector<FittedCentre> fitted_centres(const SweepSpec& spec, const Plan& plan) {
  std::vector<FittedCentre> centres;
  for (const SweepBlock& block : spec.blocks) {
    if (block.centre) add_block(block, plan, centres);
  }
  return centres;
}

std::string centres_text(const std::vector<FittedCentre>& centres) {
  std::string text;
  for (const FittedCentre& centre : centres) {
    text += "N*:      " + human(centre.n);
    text += centre.interval
                ? " [" + human(centre.interval->low) + ", " + human(centre.interval->high) + "], " +
                      human(100 * centre.level) + "%,"
                : ", how well known is not,";
    text += " at " + human(centre.budget) + " FLOPs by " + escaped(centre.file) + "; sizes " +
            human(centre.sizes.low) + " to " + human(centre.sizes.high) +
            (centre.block.empty() ? "" : " (" + centre.block + ")") + "\n";
  }
  return text;
}

}  // namespace scalelaw
