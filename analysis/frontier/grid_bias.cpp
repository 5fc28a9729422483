#include "analysis/frontier/grid_bias.h"

#include <cmath>

namespace scalelaw {
namespace {

// The same runs with the surface's losses, which have no noise.
FrontierData on_surface(const FrontierData& data, const SurfaceFrontier& surface) {
  FrontierData simulated = data;
  const auto loss = [&](double n, double d) {
    return std::exp(chinchilla_law().ln_loss(surface.fit.theta, surface.data.centred(n, d)));
  };
  for (FrontierPoint& p : simulated.points) p.loss = loss(p.n, p.d);
  for (LossCurve& curve : simulated.curves) {
    for (std::size_t i = 0; i < curve.d.size(); ++i) curve.loss[i] = loss(curve.n, curve.d[i]);
  }
  return simulated;
}

// The simulated curves of the budgets that the data's line used, with its weights; nullopt where
// without noise one of their minima lies at an edge.
std::optional<IsoFlops> as_used(const IsoFlops& data, const IsoFlops& simulated,
                                ApproachKind kind) {
  IsoFlops used = simulated;
  used.budgets.clear();
  for (std::size_t b = 0; b < data.budgets.size(); ++b) {
    const IsoFlopMinimum& real = minimum_of(data.budgets[b], kind);
    if (real.status != MinimumStatus::kInside) continue;
    IsoFlop budget = simulated.budgets[b];
    IsoFlopMinimum& without_noise = kind == ApproachKind::kAkima ? budget.akima : budget.parabola;
    if (without_noise.status != MinimumStatus::kInside) return std::nullopt;
    without_noise.ln_n_error = real.ln_n_error;
    used.budgets.push_back(std::move(budget));
  }
  return used;
}

void divide(Estimate& estimate, double by) {
  estimate.value /= by;
  if (estimate.interval) {
    estimate.interval = Interval{estimate.interval->low / by, estimate.interval->high / by};
  }
}

// The approach with what it gives of `without_noise` divided out, `truth` put in its place.
Approach less_bias(const Approach& approach, const Approach& without_noise,
                   const SurfaceFrontier& surface, const ComputeLaw& compute) {
  Approach corrected = approach;
  corrected.kind = approach.kind == ApproachKind::kAkima ? ApproachKind::kAkimaLessBias
                                                         : ApproachKind::kParabolaLessBias;
  corrected.remarks.clear();
  const double bias = *corrected.bias;
  corrected.bias.reset();
  corrected.level_bias.reset();
  Estimate& a = corrected.exponent;
  a.value -= bias;
  if (a.interval) a.interval = Interval{a.interval->low - bias, a.interval->high - bias};
  corrected.d_exponent += (1 + compute.s) * bias;
  corrected.coefficient /=
      without_noise.coefficient /
      std::exp(optimum_on_surface(surface.fit.theta, surface.data.centre, compute, 0).ln_n);
  for (std::size_t i = 0; i < corrected.at.size(); ++i) {
    BudgetEstimate& at = corrected.at[i];
    const BudgetEstimate& found = without_noise.at[i];
    const OptimumOnSurface truth =
        optimum_on_surface(surface.fit.theta, surface.data.centre, compute, std::log(at.budget));
    divide(at.n, found.n.value / std::exp(truth.ln_n));
    divide(at.d, found.d.value / std::exp(truth.ln_d));
    at.loss_known = at.loss_known && found.loss_known;
    if (at.loss_known) divide(at.loss, found.loss.value / std::exp(truth.ln_loss));
  }
  return corrected;
}

void set_bias(Approach& approach, const SurfaceFrontier& surface, const ComputeLaw& compute,
              double exponent, double centre, double ln_n) {
  approach.bias = exponent - optimum_exponent(surface.fit.theta, compute);
  approach.level_bias =
      ln_n - optimum_on_surface(surface.fit.theta, surface.data.centre, compute, centre).ln_n;
}

}  // namespace

void find_biases(Frontier& frontier) {
  const SurfaceFrontier* surface = frontier.surface();
  if (surface == nullptr) return;
  const FrontierData simulated = on_surface(frontier.data, *surface);
  IsoFlopOptions without_noise = frontier.options.isoflop;
  without_noise.noise = 0;
  const IsoFlops curves = isoflops(simulated.points, without_noise);
  const SizeLawOptions lines{frontier.options.weighted, frontier.options.level, frontier.budgets};
  std::vector<Approach> all;
  for (Approach& approach : frontier.approaches) {
    const bool by_minima =
        approach.kind == ApproachKind::kParabola || approach.kind == ApproachKind::kAkima;
    if (approach.stands() && approach.kind == ApproachKind::kEnvelope) {
      EnvelopeOptions once = frontier.options.envelope;
      once.draws = 0;
      const Envelope e = envelope(simulated.curves, once);
      if (e.status == FitStatus::kConverged) {
        set_bias(approach, *surface, frontier.compute, e.exponent, e.centre_ln_c, e.ln_n_at_centre);
      }
    }
    const auto used = approach.stands() && by_minima
                          ? as_used(frontier.isoflop, curves, approach.kind)
                          : std::nullopt;
    if (approach.stands() && by_minima && !used) {
      approach.remarks.push_back(
          "its bias on this grid is not known: without noise a minimum would lie at an edge");
    }
    if (!used) {
      all.push_back(approach);
      continue;
    }
    const SizeLaw law = isoflop_law(*used, approach.kind, frontier.options.weighted);
    set_bias(approach, *surface, frontier.compute, law.exponent, law.centre_ln_c,
             law.ln_n_at_centre);
    all.push_back(approach);
    all.push_back(less_bias(approach,
                            isoflop_frontier(*used, approach.kind, frontier.compute, lines),
                            *surface, frontier.compute));
  }
  frontier.approaches = std::move(all);
}

}  // namespace scalelaw
