#include "analysis/frontier/frontier.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/frontier/grid_bias.h"
#include "analysis/number_text.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kFewestPoints = 6, kFewestOfEach = 3;  // of L(N, D): one more than parameters
// Largest over smallest N, and D: less tells no exponent from the floor, whatever a fit says.
constexpr double kLeastSpan = 1.5;

std::string what_is_missing(const FrontierData& data, double tolerance) {
  std::set<double> sizes, tokens, losses;
  double least = HUGE_VAL, most = 0;
  for (const FrontierPoint& p : data.points) {
    sizes.insert(p.n);
    tokens.insert(p.d);
    losses.insert(p.loss);
    least = std::min(least, p.c);
    most = std::max(most, p.c);
  }
  const auto few = [](std::size_t there, int needed, const std::string& what) {
    return "L(N, D) needs " + std::to_string(needed) + " " + what + ", and there are " +
           std::to_string(there);
  };
  if (static_cast<int>(data.points.size()) < kFewestPoints) {
    return few(data.points.size(), kFewestPoints, "points");
  }
  if (static_cast<int>(sizes.size()) < kFewestOfEach) {
    return few(sizes.size(), kFewestOfEach, "sizes");
  }
  if (static_cast<int>(tokens.size()) < kFewestOfEach) {
    return few(tokens.size(), kFewestOfEach, "D");
  }
  const auto narrow = [](const std::set<double>& values, const std::string& what) {
    return "L(N, D) needs " + what + " over a factor of " + fixed(kLeastSpan, 1) +
           ", and these are over " + fixed(*values.rbegin() / *values.begin(), 4);
  };
  if (*sizes.rbegin() < kLeastSpan * *sizes.begin()) return narrow(sizes, "sizes");
  if (*tokens.rbegin() < kLeastSpan * *tokens.begin()) return narrow(tokens, "D");
  if (losses.size() == 1) return "all runs have the same loss";
  if (most <= least * (1 + tolerance)) {
    return "all runs are of one budget: L(N, D) would rest on how one curve bends";
  }
  return "";
}

std::vector<double> budgets_of(const FrontierData& data, const std::vector<double>& asked) {
  if (!asked.empty()) return asked;
  double least = HUGE_VAL, most = 0;
  const auto widen = [&](double c) {
    least = std::min(least, c);
    most = std::max(most, c);
  };
  for (const FrontierPoint& p : data.points) widen(p.c);
  for (const GivenOptimum& o : data.optima) widen(o.c);
  if (!(most > 0)) return {};
  if (least == most) return {most, 10 * most};
  return {least, most, 10 * most};
}

Approach envelope_frontier(const Envelope& found, const ComputeLaw& compute,
                           const std::vector<double>& budgets) {
  Approach approach;
  approach.kind = ApproachKind::kEnvelope;
  approach.status = found.status;
  approach.why = found.why;
  approach.runs = found.runs;
  if (found.at_least_size + found.at_largest_size > 0) {
    approach.remarks.push_back(
        std::to_string(found.at_least_size + found.at_largest_size) + " of " +
        std::to_string(found.places.size()) +
        " budgets left out: the smallest or the largest size is lowest there");
  }
  if (!approach.stands()) return approach;
  approach.least_budget = found.least_budget;
  approach.most_budget = found.most_budget;
  approach.budgets =
      static_cast<int>(found.places.size()) - found.at_least_size - found.at_largest_size;
  approach.exponent.value = found.exponent;
  approach.d_exponent = 1 - (1 + compute.s) * found.exponent;
  approach.coefficient = std::exp(found.ln_n(0));
  approach.spread = found.spread;
  for (const double c : budgets) {
    const double ln_c = std::log(c), ln_n = found.ln_n(ln_c);
    BudgetEstimate at;
    at.budget = c;
    at.n.value = std::exp(ln_n);
    at.d.value = std::exp(compute.ln_d(ln_c, ln_n));
    const auto ln_loss = found.ln_loss(ln_c);
    at.loss_known = ln_loss.has_value();
    if (ln_loss) at.loss.value = std::exp(*ln_loss);
    at.beyond = c < found.least_budget || c > found.most_budget;
    approach.at.push_back(at);
  }
  return approach;
}

void find_surfaces(Frontier& frontier) {
  const std::string missing = what_is_missing(frontier.data, frontier.options.isoflop.tolerance);
  const SurfaceOptions options{.huber_delta = frontier.options.huber_delta,
                               .level = frontier.options.level,
                               .bootstrap = frontier.options.bootstrap,
                               .leave_out_runs = frontier.options.leave_out_runs,
                               .budgets = frontier.budgets};
  for (const ApproachKind kind :
       {ApproachKind::kHuber, ApproachKind::kLeastSquaresLn, ApproachKind::kVariableProjection}) {
    SurfaceFrontier found;
    if (missing.empty()) {
      found = surface_frontier(frontier.data, frontier.compute, kind, options);
    } else {
      found.approach.kind = kind;
      found.approach.runs = frontier.data.runs();
      found.approach.why = missing;
    }
    frontier.approaches.push_back(found.approach);
    frontier.surfaces.push_back(std::move(found));
  }
}

void warn_of_the_data(Frontier& frontier) {
  constexpr double kWideBudget = 0.02, kPoorComputeLaw = 0.1;
  const IsoFlops& curves = frontier.isoflop;
  if (curves.points_in_none > 0 && !curves.budgets.empty()) {
    frontier.warnings.push_back(std::to_string(curves.points_in_none) +
                                " points are of budgets with fewer than three sizes: approach 2 "
                                "does not use them");
  }
  double widest = 0;
  for (const IsoFlop& budget : curves.budgets) widest = std::max(widest, budget.spread);
  if (widest > kWideBudget) {
    frontier.warnings.push_back("runs of one budget differ in C by up to " + percent(widest, 0) +
                                ": approach 2 takes them for equal");
  }
  if (frontier.compute.worst > kPoorComputeLaw) {
    frontier.warnings.push_back("C / (N D) is no power of N here (off by up to " +
                                percent(frontier.compute.worst, 0) +
                                "): D* and approach 3 take it for one");
  }
}

[[noreturn]] void refuse(const Frontier& frontier) {
  std::string message = "no approach to the frontier stands on " + frontier.data.source;
  std::string bounds;
  for (const IsoFlop& budget : frontier.isoflop.budgets) {
    const MinimumStatus status = budget.parabola.status;
    if (status != MinimumStatus::kAtOrBelow && status != MinimumStatus::kAtOrAbove) continue;
    bounds += "; at C " + human(budget.budget) + " N* is at " +
              (status == MinimumStatus::kAtOrBelow ? "most " : "least ") +
              human(std::exp(budget.parabola.ln_n));
  }
  for (const Approach& a : frontier.approaches) {
    message +=
        "; " + std::string(in_words(a.kind)) + ": " + std::string(name(a.status)) + ", " + a.why;
  }
  if (!frontier.data.left_out.empty()) {
    const LeftOut& first = frontier.data.left_out.front();
    bounds += "; left out: " + std::to_string(frontier.data.left_out.size()) + ", first " +
              first.what + ": " + first.why;
  }
  throw ConfigError(message + bounds);
}

}  // namespace

std::string_view name(ApproachKind kind) {
  switch (kind) {
    case ApproachKind::kEnvelope:
      return "envelope";
    case ApproachKind::kParabola:
      return "isoflop_parabola";
    case ApproachKind::kAkima:
      return "isoflop_akima";
    case ApproachKind::kParabolaLessBias:
      return "isoflop_parabola_less_bias";
    case ApproachKind::kAkimaLessBias:
      return "isoflop_akima_less_bias";
    case ApproachKind::kHuber:
      return "surface_huber";
    case ApproachKind::kLeastSquaresLn:
      return "surface_least_squares_ln";
    case ApproachKind::kVariableProjection:
      return "surface_variable_projection";
    case ApproachKind::kOptima:
      return "given_optima";
  }
  return "";
}

std::string_view in_words(ApproachKind kind) {
  switch (kind) {
    case ApproachKind::kEnvelope:
      return "1 envelope of loss curves";
    case ApproachKind::kParabola:
      return "2 IsoFLOP, parabola";
    case ApproachKind::kAkima:
      return "2 IsoFLOP, Akima";
    case ApproachKind::kParabolaLessBias:
      return "2 parabola, less its bias";
    case ApproachKind::kAkimaLessBias:
      return "2 Akima, less its bias";
    case ApproachKind::kHuber:
      return "3 L(N, D), Huber in ln L";
    case ApproachKind::kLeastSquaresLn:
      return "3 L(N, D), least squares in ln L";
    case ApproachKind::kVariableProjection:
      return "3 L(N, D), variable projection in L";
    case ApproachKind::kOptima:
      return "minima as given";
  }
  return "";
}

const SurfaceFrontier* Frontier::surface() const {
  for (const SurfaceFrontier& s : surfaces) {
    if (s.approach.stands()) return &s;
  }
  return nullptr;
}

Frontier find_frontier(FrontierData data, const FrontierOptions& options) {
  Frontier frontier;
  frontier.data = std::move(data);
  frontier.options = options;
  frontier.budgets = budgets_of(frontier.data, options.budgets);
  frontier.warnings = frontier.data.warnings;
  const SizeLawOptions lines{options.weighted, options.level, frontier.budgets};
  if (!frontier.data.optima.empty()) {
    frontier.approaches.push_back(given_frontier(frontier.data.optima, lines));
    if (!frontier.approaches.front().stands()) refuse(frontier);
    return frontier;
  }
  frontier.compute = compute_law(frontier.data.points);
  frontier.isoflop = isoflops(frontier.data.points, options.isoflop);
  frontier.envelope = envelope(frontier.data.curves, options.envelope);
  frontier.approaches.push_back(
      envelope_frontier(frontier.envelope, frontier.compute, frontier.budgets));
  for (const ApproachKind kind : {ApproachKind::kParabola, ApproachKind::kAkima}) {
    frontier.approaches.push_back(
        isoflop_frontier(frontier.isoflop, kind, frontier.compute, lines));
  }
  find_surfaces(frontier);
  const bool stands = std::ranges::any_of(frontier.approaches, &Approach::stands) ||
                      std::ranges::any_of(frontier.isoflop.budgets, [](const IsoFlop& b) {
                        return b.parabola.status == MinimumStatus::kInside;
                      });
  if (!stands) refuse(frontier);
  find_biases(frontier);
  warn_of_the_data(frontier);
  return frontier;
}

}  // namespace scalelaw
