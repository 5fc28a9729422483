#include "analysis/frontier/isoflop_frontier.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace scalelaw {
namespace {

Estimate of_log(double ln_value, std::optional<double> reach) {
  Estimate e{std::exp(ln_value), std::nullopt, std::nullopt};
  if (reach) e.interval = Interval{std::exp(ln_value - *reach), std::exp(ln_value + *reach)};
  return e;
}

// What a line through minima says, D* by the caller.
void take_line(Approach& approach, const SizeLaw& law, double level) {
  approach.status = law.status;
  approach.why = law.why;
  approach.budgets = law.budgets;
  if (!approach.stands()) return;
  approach.exponent.value = law.exponent;
  if (law.errors != LineErrors::kNone) {
    const double reach = law.exponent_reach(level);
    approach.exponent.interval = Interval{law.exponent - reach, law.exponent + reach};
  }
  approach.coefficient = law.coefficient();
}

std::optional<double> reach_at(const SizeLaw& law, double ln_c, double level) {
  if (law.errors == LineErrors::kNone) return std::nullopt;
  return law.reach_at(ln_c, level);
}

NoiseSource source_of(const IsoFlops& curves) {
  return curves.pooled ? NoiseSource::kOneForAll : NoiseSource::kEachItsOwn;
}

std::string counted(int number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

}  // namespace

const IsoFlopMinimum& minimum_of(const IsoFlop& budget, ApproachKind kind) {
  return kind == ApproachKind::kAkima ? budget.akima : budget.parabola;
}

SizeLaw isoflop_law(const IsoFlops& curves, ApproachKind kind, bool weighted) {
  std::vector<SizePoint> points;
  for (const IsoFlop& budget : curves.budgets) {
    const IsoFlopMinimum& minimum = minimum_of(budget, kind);
    if (minimum.status != MinimumStatus::kInside) continue;
    points.push_back({std::log(budget.budget), minimum.ln_n, minimum.ln_n_error, budget.noise_df});
  }
  return fit_size_law(points, weighted, source_of(curves));
}

Approach isoflop_frontier(const IsoFlops& curves, ApproachKind kind, const ComputeLaw& compute,
                          const SizeLawOptions& options) {
  Approach approach;
  approach.kind = kind;
  std::set<int> runs;
  std::vector<LossPoint> losses;
  int bounds = 0;
  for (const IsoFlop& budget : curves.budgets) {
    const IsoFlopMinimum& minimum = minimum_of(budget, kind);
    if (minimum.status != MinimumStatus::kInside) {
      ++bounds;
      continue;
    }
    if (losses.empty()) approach.least_budget = budget.budget;
    approach.most_budget = budget.budget;
    losses.push_back({budget.budget, minimum.loss, minimum.ln_loss_error, budget.noise_df});
    for (const FrontierPoint& point : budget.points) runs.insert(point.run);
  }
  approach.runs = static_cast<int>(runs.size());
  const SizeLaw law = isoflop_law(curves, kind, options.weighted);
  take_line(approach, law, options.level);
  if (curves.budgets.empty()) {
    approach.why = "no budget has runs of " + std::to_string(kFewestSizesForMinimum) + " sizes";
  }
  if (bounds > 0) {
    approach.remarks.push_back(counted(bounds, "budget") +
                               " left out: the lowest loss lies at the end of its sizes");
  }
  if (!approach.stands()) return approach;
  if (law.scatter_ratio > 2) {
    approach.remarks.push_back(
        "its minima lie further from the line than their noise explains, and the interval knows of "
        "noise alone");
  }
  approach.d_exponent = 1 - (1 + compute.s) * law.exponent;
  const LossLaw loss_law(losses);
  const bool has_losses = has_curve(loss_law.status());
  for (const double c : options.budgets) {
    const double ln_c = std::log(c), ln_n = law.ln_n(ln_c);
    const auto reach = reach_at(law, ln_c, options.level);
    BudgetEstimate at{c, of_log(ln_n, reach), {}, {}, has_losses, false};
    at.d = of_log(compute.ln_d(ln_c, ln_n),
                  reach ? std::optional(*reach * (1 + compute.s)) : std::nullopt);
    if (has_losses) {
      std::optional<double> loss_reach;
      if (law.errors == LineErrors::kNoise && loss_law.status() == FitStatus::kConverged) {
        loss_reach = loss_law.reach_at(c, source_of(curves), options.level);
      }
      at.loss = of_log(loss_law.ln_loss(c), loss_reach);
    }
    at.beyond = c < approach.least_budget / (1 + 1e-9) || c > approach.most_budget * (1 + 1e-9);
    approach.at.push_back(at);
  }
  return approach;
}

Approach given_frontier(std::span<const GivenOptimum> optima, const SizeLawOptions& options) {
  Approach approach;
  approach.kind = ApproachKind::kOptima;
  std::vector<SizePoint> sizes, tokens;
  for (const GivenOptimum& o : optima) {
    sizes.push_back({std::log(o.c), std::log(o.n), o.error, 0});
    if (o.d > 0) tokens.push_back({std::log(o.c), std::log(o.d)});
  }
  const SizeLaw law = fit_size_law(sizes, options.weighted);
  take_line(approach, law, options.level);
  if (!approach.stands()) return approach;
  const auto [least, most] = std::ranges::minmax(optima, {}, &GivenOptimum::c);
  approach.least_budget = least.c;
  approach.most_budget = most.c;
  const SizeLaw of_d = fit_size_law(tokens, false);
  const bool knows_d = tokens.size() == sizes.size();
  approach.d_exponent = knows_d ? of_d.exponent : 1 - law.exponent;
  if (!knows_d) approach.remarks.push_back("D is not given: D* is of C = 6 N D");
  for (const double c : options.budgets) {
    const double ln_c = std::log(c);
    BudgetEstimate at{
        c, of_log(law.ln_n(ln_c), reach_at(law, ln_c, options.level)), {}, {}, false, false};
    at.d = knows_d ? of_log(of_d.ln_n(ln_c), reach_at(of_d, ln_c, options.level))
                   : of_log(ln_c - std::log(6) - law.ln_n(ln_c), std::nullopt);
    at.beyond = c < least.c / (1 + 1e-9) || c > most.c * (1 + 1e-9);
    approach.at.push_back(at);
  }
  return approach;
}

}  // namespace scalelaw
