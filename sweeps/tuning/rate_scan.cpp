#include "sweeps/tuning/rate_scan.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace scalelaw {
namespace {

constexpr int kChosenDigits = 3;

// Its place; nullopt where all diverged.
std::optional<std::size_t> best_of(const std::vector<TriedRate>& tried) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < tried.size(); ++i) {
    if (tried[i].diverged) continue;
    if (!best || tried[i].loss_nats < tried[*best].loss_nats) best = i;
  }
  return best;
}

// Of three points with the lowest loss in the middle. Equal losses make a flat bottom: the middle.
double vertex(const TriedRate& low, const TriedRate& best, const TriedRate& high) {
  const double below = std::log(low.rate / best.rate), above = std::log(high.rate / best.rate);
  const double rise_below = (low.loss_nats - best.loss_nats) / below;
  const double rise_above = (high.loss_nats - best.loss_nats) / above;
  const double curvature = (rise_above - rise_below) / (above - below);
  if (!(curvature > 0)) return best.rate;
  const double slope = rise_below - curvature * below;
  return best.rate * std::exp(std::clamp(-slope / (2 * curvature), below, above));
}

}  // namespace

double rounded_rate(double rate, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*e", digits - 1, rate);
  return std::strtod(text, nullptr);
}

RateChoice choose_rate(const std::vector<TriedRate>& tried) {
  const std::optional<std::size_t> best = best_of(tried);
  if (!best) return {};
  const auto chosen = [&](BestRate kind, double rate) {
    return RateChoice{kind, rounded_rate(rate, kChosenDigits), tried[*best].loss_nats};
  };
  if (*best == 0) return chosen(BestRate::kLowestEdge, tried[*best].rate);
  if (*best + 1 == tried.size()) return chosen(BestRate::kHighestEdge, tried[*best].rate);
  const TriedRate &low = tried[*best - 1], &high = tried[*best + 1];
  if (low.diverged) return chosen(BestRate::kLowestEdge, tried[*best].rate);
  if (high.diverged) {
    const bool is_narrow = high.rate <= kNarrow * tried[*best].rate;
    return chosen(is_narrow ? BestRate::kBelowDivergence : BestRate::kHighestEdge,
                  tried[*best].rate);
  }
  return chosen(BestRate::kInterior, vertex(low, tried[*best], high));
}

std::optional<double> rate_beyond(const std::vector<TriedRate>& tried) {
  const std::size_t best = best_of(tried).value_or(0);
  const auto rate = [&](std::size_t i) { return tried[i].unrounded; };
  if (best == 0) return rate(0) * (rate(0) / rate(1));
  if (best + 1 == tried.size()) return rate(best) * (rate(best) / rate(best - 1));
  if (tried[best + 1].diverged) return std::sqrt(rate(best) * rate(best + 1));
  return std::nullopt;
}

}  // namespace scalelaw
