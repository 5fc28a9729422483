#include "analysis/frontier/envelope.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analysis/fitting/bootstrap.h"
#include "analysis/weighted_line.h"

namespace scalelaw {
namespace {

constexpr int kFewestSizes = 2;  // between the least and the largest, or there is no line

// ln L of every curve at every budget, linear in ln C; NaN before its first and after its last
// point.
std::vector<std::vector<double>> on_budgets(std::span<const LossCurve> curves,
                                            const std::vector<double>& ln_c) {
  std::vector<std::vector<double>> losses;
  for (const LossCurve& curve : curves) {
    std::vector<double>& out = losses.emplace_back(ln_c.size(), std::nan(""));
    std::size_t after = 1;
    for (std::size_t b = 0; b < ln_c.size(); ++b) {
      while (after < curve.c.size() && std::log(curve.c[after]) < ln_c[b]) ++after;
      if (after >= curve.c.size() || ln_c[b] < std::log(curve.c.front())) continue;
      const double left = std::log(curve.c[after - 1]), right = std::log(curve.c[after]);
      const double share = (ln_c[b] - left) / (right - left);
      out[b] = (1 - share) * std::log(curve.loss[after - 1]) + share * std::log(curve.loss[after]);
    }
  }
  return losses;
}

// Which curve is lowest at each budget, of those drawn; -1: none reaches it.
std::vector<int> lowest(const std::vector<std::vector<double>>& losses,
                        const std::vector<int>& drawn, std::size_t budgets) {
  std::vector<int> best(budgets, -1);
  for (std::size_t r = 0; r < losses.size(); ++r) {
    if (drawn[r] == 0) continue;
    for (std::size_t b = 0; b < budgets; ++b) {
      if (std::isnan(losses[r][b])) continue;
      if (best[b] < 0 || losses[r][b] < losses[static_cast<std::size_t>(best[b])][b]) {
        best[b] = static_cast<int>(r);
      }
    }
  }
  return best;
}

struct EnvelopeLine {
  WeightedLine line;
  std::set<int> runs;
  std::set<double> sizes;
  int at_least = 0, at_largest = 0;
  double first = 0, last = 0;
  bool stands() const { return static_cast<int>(sizes.size()) >= kFewestSizes; }
};

EnvelopeLine line_of(std::span<const LossCurve> curves, const std::vector<int>& best,
                     const std::vector<int>& drawn, const std::vector<double>& ln_c) {
  double least = HUGE_VAL, largest = 0;
  for (std::size_t r = 0; r < curves.size(); ++r) {
    if (drawn[r] == 0) continue;
    least = std::min(least, curves[r].n);
    largest = std::max(largest, curves[r].n);
  }
  EnvelopeLine found;
  std::vector<LinePoint> points;
  for (std::size_t b = 0; b < best.size(); ++b) {
    if (best[b] < 0) continue;
    const LossCurve& curve = curves[static_cast<std::size_t>(best[b])];
    if (curve.n == least || curve.n == largest) {
      ++(curve.n == least ? found.at_least : found.at_largest);
      continue;
    }
    if (points.empty()) found.first = ln_c[b];
    found.last = ln_c[b];
    points.push_back({ln_c[b], std::log(curve.n), 1});
    found.runs.insert(curve.run);
    found.sizes.insert(curve.n);
  }
  if (found.stands()) found.line = fit_line(points);
  return found;
}

// Over draws of runs with replacement; a run drawn twice is as lowest as one drawn once.
std::optional<double> spread_over_draws(std::span<const LossCurve> curves,
                                        const std::vector<std::vector<double>>& losses,
                                        const std::vector<double>& ln_c,
                                        const EnvelopeOptions& options) {
  std::vector<double> slopes;
  for (int i = 0; i < options.draws; ++i) {
    const std::vector<int> drawn =
        bootstrap_counts(static_cast<int>(curves.size()), options.seed, i);
    const EnvelopeLine found = line_of(curves, lowest(losses, drawn, ln_c.size()), drawn, ln_c);
    if (found.stands()) slopes.push_back(found.line.slope);
  }
  if (slopes.size() < 20 || 2 * static_cast<int>(slopes.size()) < options.draws) return {};
  double mean = 0, squares = 0;
  for (const double s : slopes) mean += s / static_cast<double>(slopes.size());
  for (const double s : slopes) squares += (s - mean) * (s - mean);
  return std::sqrt(squares / static_cast<double>(slopes.size() - 1));
}

}  // namespace

std::optional<double> Envelope::ln_loss(double ln_c) const {
  if (places.empty() || ln_c < places.front().ln_c || ln_c > places.back().ln_c) return {};
  const auto after = std::ranges::lower_bound(places, ln_c, {}, &EnvelopePlace::ln_c);
  return after->ln_loss;
}

Envelope envelope(std::span<const LossCurve> curves, const EnvelopeOptions& options) {
  Envelope found;
  if (curves.empty()) {
    found.why = "no loss curves: the envelope needs losses of runs while they train";
    return found;
  }
  double least = HUGE_VAL, most = 0;
  for (const LossCurve& curve : curves) {
    least = std::min(least, curve.c.front());
    most = std::max(most, curve.c.back());
  }
  std::vector<double> ln_c;
  for (int b = 0; b < options.budgets; ++b) {
    const double share = static_cast<double>(b) / (options.budgets - 1);
    ln_c.push_back(std::log(least) + share * (std::log(most) - std::log(least)));
  }
  const auto losses = on_budgets(curves, ln_c);
  const std::vector<int> all(curves.size(), 1);
  const std::vector<int> best = lowest(losses, all, ln_c.size());
  for (std::size_t b = 0; b < best.size(); ++b) {
    if (best[b] < 0) continue;
    const auto r = static_cast<std::size_t>(best[b]);
    found.places.push_back({ln_c[b], std::log(curves[r].n), losses[r][b]});
  }
  const EnvelopeLine line = line_of(curves, best, all, ln_c);
  found.runs = static_cast<int>(line.runs.size());
  found.sizes = static_cast<int>(line.sizes.size());
  found.at_least_size = line.at_least;
  found.at_largest_size = line.at_largest;
  if (!line.stands()) {
    found.why = "of the sizes between the smallest and the largest " + std::to_string(found.sizes) +
                (found.sizes == 1 ? " is" : " are") +
                " lowest at any budget; a line needs two, and where an end is lowest N* is but "
                "bounded";
    return found;
  }
  found.status = FitStatus::kConverged;
  found.least_budget = std::exp(line.first);
  found.most_budget = std::exp(line.last);
  found.exponent = line.line.slope;
  found.centre_ln_c = line.line.centre_x;
  found.ln_n_at_centre = line.line.centre_y;
  if (options.draws > 0) found.spread = spread_over_draws(curves, losses, ln_c, options);
  return found;
}

}  // namespace scalelaw
