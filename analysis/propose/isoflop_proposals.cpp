#include "analysis/propose/isoflop_proposals.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "analysis/number_text.h"
#include "analysis/propose/slope_proposals.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int kSizesPastAnEdge = 2;      // so that the first of them may be the lowest
constexpr double kSameSize = 0.05;       // in ln N
constexpr double kNeighbour = 0.22;      // in ln C
constexpr std::size_t kFewestASide = 2;  // sizes on either side of a minimum

std::vector<FrontierPoint> points_of(const std::vector<const RunRow*>& rows,
                                     const Selection& selection, CCount c_count) {
  std::vector<FrontierPoint> points;
  if (rows.empty()) return points;
  const ArmSettings settings(rows, selection.n_count, c_count);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const double n = rows[i]->n(selection.n_count), c = settings.flops_of(*rows[i]);
    if (!(n > 0) || !(c > 0)) continue;
    points.push_back({n, rows[i]->d_tokens(), c,
                      rows[i]->loss(selection.test_set, selection.metric), static_cast<int>(i)});
  }
  return points;
}

// At one size and D: what was tuned, of which a budget takes the best.
bool rates_vary(const std::vector<const RunRow*>& rows, const Selection& selection) {
  std::map<std::pair<double, int64_t>, double> rates;
  return std::ranges::any_of(rows, [&](const RunRow* row) {
    const double rate = row->record.learning_rate;
    const auto size = std::pair(row->n(selection.n_count), row->record.train_tokens);
    return rates.try_emplace(size, rate).first->second != rate;
  });
}

IsoFlops budgets_among(const std::vector<FrontierPoint>& points,
                       const std::vector<const RunRow*>& rows, const Selection& selection,
                       double tolerance) {
  if (points.empty()) return {};
  IsoFlopOptions options;
  options.noise_replicates = 0;
  options.tolerance = tolerance;
  if (rates_vary(rows, selection)) options.same_size = SameSize::kLowest;
  return isoflops(points, options);
}

std::string budget_words(const std::string& arm, const IsoFlop& budget) {
  return "IsoFLOP of " + arm + " at " + scientific(budget.budget) + " FLOPs: ";
}

double step_of(const std::vector<double>& ln_n) {
  const double mean = (ln_n.back() - ln_n.front()) / static_cast<double>(ln_n.size() - 1);
  return std::clamp(mean, std::log(1.25), std::log(4.0));
}

// Runs whose settings new ones of the budget take: of rates tuned at one size the best.
std::vector<const RunRow*> rows_like(const IsoFlop& budget, const std::vector<const RunRow*>& rows,
                                     const Selection& selection) {
  std::vector<const RunRow*> all;
  std::map<double, const FrontierPoint*> best;
  for (const FrontierPoint& p : budget.points) {
    all.push_back(rows[static_cast<std::size_t>(p.run)]);
    const FrontierPoint*& lowest = best.try_emplace(p.n, &p).first->second;
    if (p.loss < lowest->loss) lowest = &p;
  }
  if (!rates_vary(all, selection)) return all;
  all.clear();
  for (const auto& [n, point] : best) all.push_back(rows[static_cast<std::size_t>(point->run)]);
  return all;
}

// Of a neighbouring budget, as where somebody's C scatter more than the tolerance.
bool is_seen_beyond(const IsoFlop& budget, bool below, const std::vector<FrontierPoint>& points) {
  return std::ranges::any_of(points, [&](const FrontierPoint& p) {
    const bool beyond = below ? std::log(p.n) < budget.ln_n.front() - kSameSize
                              : std::log(p.n) > budget.ln_n.back() + kSameSize;
    return beyond && std::abs(std::log(p.c / budget.budget)) < kNeighbour;
  });
}

// Of a budget whose best size is its first or last.
bool best_is_smallest(const IsoFlop& budget) {
  const auto lowest = std::ranges::min_element(budget.ln_loss) - budget.ln_loss.begin();
  return budget.parabola.status == MinimumStatus::kAtOrBelow ||
         (budget.parabola.status == MinimumStatus::kNone && lowest == 0);
}

void past_the_edge(const std::string& arm, const IsoFlop& budget, bool below,
                   const ArmSettings& settings, ProposalList& list) {
  const double step = step_of(budget.ln_n);
  for (int i = 1; i <= kSizesPastAnEdge; ++i) {
    const double ln_n = below ? budget.ln_n.front() - i * step : budget.ln_n.back() + i * step;
    const auto cell = settings.at_new_size(std::exp(ln_n), budget.budget);
    if (!cell) continue;
    list.proposals.push_back(
        {ProposalKind::kEdge,
         arm,
         *cell,
         1,
         {},
         budget_words(arm, budget) + "its " + (below ? "smallest" : "largest") +
             " size is the best, N* is a bound (" + (below ? "at most " : "at least ") +
             human(std::exp(below ? budget.ln_n.front() : budget.ln_n.back())) +
             ") until a size past it is worse"});
  }
}

// Both ends' next sizes where sizes are few on that side, and the middles of the gaps about N*.
std::vector<double> places_to_fill(const IsoFlop& budget) {
  const double best = budget.parabola.ln_n;
  const auto above = std::ranges::upper_bound(budget.ln_n, best);
  const auto on_the_left = static_cast<std::size_t>(above - budget.ln_n.begin());
  const std::size_t on_the_right = budget.ln_n.size() - on_the_left;
  std::vector<double> places;
  if (on_the_left >= kFewestASide && on_the_right >= kFewestASide) return places;
  const double step = step_of(budget.ln_n);
  if (on_the_left < kFewestASide) places.push_back(budget.ln_n.front() - step);
  if (on_the_right < kFewestASide) places.push_back(budget.ln_n.back() + step);
  if (above != budget.ln_n.begin() && above != budget.ln_n.end()) {
    places.push_back((*above + *std::prev(above)) / 2);
  }
  return places;
}

// Of what the parabola was fitted to: every run, or of each size the lowest.
std::vector<double> ln_sizes(const IsoFlop& budget, bool lowest_of_each) {
  if (lowest_of_each) return budget.ln_n;
  std::vector<double> all;
  for (const FrontierPoint& p : budget.points) all.push_back(std::log(p.n));
  return all;
}

void fill_in(const std::string& arm, const IsoFlop& budget, bool lowest_of_each,
             const ArmSettings& settings, ProposalList& list) {
  std::vector<double> sizes = ln_sizes(budget, lowest_of_each);
  const double now = minimum_variance(sizes, budget);
  std::optional<Proposal> best;
  sizes.push_back(0);
  for (const double place : places_to_fill(budget)) {
    const auto cell = settings.at_new_size(std::exp(place), budget.budget);
    if (!cell) continue;
    sizes.back() = std::log(cell->n);
    const double gain = 1 - std::sqrt(minimum_variance(sizes, budget) / now);
    if (!(gain >= kLeastGain) || (best && gain <= *best->gain)) continue;
    best = Proposal{ProposalKind::kFill,
                    arm,
                    *cell,
                    1,
                    gain,
                    budget_words(arm, budget) + "fewer than " + std::to_string(kFewestASide) +
                        " sizes on one side of N* = " + human(std::exp(budget.parabola.ln_n))};
  }
  if (best) list.proposals.push_back(std::move(*best));
}

}  // namespace

double minimum_variance(std::span<const double> ln_n, const IsoFlop& parabola) {
  const auto rows = static_cast<Eigen::Index>(ln_n.size());
  Eigen::MatrixXd columns(rows, 3);
  for (Eigen::Index i = 0; i < rows; ++i) {
    const double u = ln_n[static_cast<std::size_t>(i)] - parabola.centre;
    columns.row(i) << 1, u, u * u;
  }
  const double at = -parabola.slope / (2 * parabola.bend);
  const Eigen::Vector3d of_place(0, -1 / (2 * parabola.bend), -at / parabola.bend);
  const Eigen::Matrix3d covariance = (columns.transpose() * columns).inverse();
  return of_place.dot(covariance * of_place);
}

int budgets_of(const std::vector<const RunRow*>& rows, const Selection& selection,
               const IsoFlopQuestion& asked) {
  const std::vector<FrontierPoint> points = points_of(rows, selection, asked.c_count);
  return static_cast<int>(budgets_among(points, rows, selection, asked.tolerance).budgets.size());
}

ProposalList isoflop_proposals(const std::string& arm, const std::vector<const RunRow*>& rows,
                               const Selection& selection, const IsoFlopQuestion& asked) {
  ProposalList list;
  std::string passed_over;
  const std::vector<FrontierPoint> points = points_of(rows, selection, asked.c_count);
  for (const IsoFlop& budget : budgets_among(points, rows, selection, asked.tolerance).budgets) {
    const ArmSettings settings(rows_like(budget, rows, selection), selection.n_count, asked.c_count,
                               asked.waiting);
    const auto lowest = std::ranges::min_element(budget.ln_loss);
    const bool at_an_end =
        lowest == budget.ln_loss.begin() || std::next(lowest) == budget.ln_loss.end();
    const MinimumStatus status = budget.parabola.status;
    if (status == MinimumStatus::kInside) {
      fill_in(arm, budget, rates_vary(rows, selection), settings, list);
    } else if (status == MinimumStatus::kNone && !at_an_end) {
      list.notes.push_back(budget_words(arm, budget) +
                           "the parabola opens downwards, its losses are too noisy or its sizes "
                           "too near for a best one; nothing is proposed for it.");
    } else if (const bool below = best_is_smallest(budget); is_seen_beyond(budget, below, points)) {
      passed_over += (passed_over.empty() ? "" : ", ") + scientific(budget.budget);
    } else {
      past_the_edge(arm, budget, below, settings, list);
    }
  }
  if (!passed_over.empty()) {
    list.notes.push_back("IsoFLOP of " + arm + " at " + passed_over +
                         " FLOPs: the best size is the first or last, and there are runs past it "
                         "whose C is within 25%: nothing is proposed; --tolerance says what counts "
                         "as one budget.");
  }
  return list;
}

}  // namespace scalelaw
