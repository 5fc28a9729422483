#include "analysis/ranking/rank_forms.h"

#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"

namespace scalelaw {
namespace {

constexpr std::size_t kFewestRungs = 3;
constexpr double kLeastError = 1e-9;  // of a form that tells a loss to rounding

double compute_of(const Observation& row, FormScope scope) {
  return scope == FormScope::kSize ? row.n : 6 * row.n * row.d;
}

// Ends of the rungs in rows sorted by compute: rung r is [ends[r], ends[r + 1]).
std::vector<std::size_t> rung_ends(const std::vector<Observation>& rows, FormScope scope,
                                   const RankOptions& options, std::size_t fewest) {
  const auto ties = [&](std::size_t i) {
    return i > 0 && i < rows.size() &&
           compute_of(rows[i], scope) < compute_of(rows[i - 1], scope) * (1 + 1e-9);
  };
  std::size_t first = std::max<std::size_t>(
      fewest,
      static_cast<std::size_t>(std::lround(options.first_fit * static_cast<double>(rows.size()))));
  while (first < rows.size() && ties(first)) ++first;
  // Few budgets of many runs each: the first fit takes fewer, so that there are rungs enough.
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!ties(i)) starts.push_back(i);
  }
  if (starts.size() > kFewestRungs) {
    const std::size_t earlier = starts[starts.size() - kFewestRungs];
    if (earlier >= fewest) first = std::min(first, earlier);
  }
  std::vector<std::size_t> ends = {std::min(first, rows.size())};
  for (int r = 1; r <= options.rungs && ends.back() < rows.size(); ++r) {
    const std::size_t rest = rows.size() - first;
    std::size_t end =
        first + rest * static_cast<std::size_t>(r) / static_cast<std::size_t>(options.rungs);
    end = std::max(end, ends.back() + 1);
    while (end < rows.size() && ties(end)) ++end;
    ends.push_back(std::min(end, rows.size()));
  }
  return ends;
}

void tell_rung(RankedForm& ranked, const FitResult& fit, const FitData& below,
               std::span<const Observation> rung) {
  if (!ranked.why_not.empty()) return;
  const std::string smallest = std::to_string(below.rows()) + " smallest runs";
  if (!has_curve(fit.status)) {
    ranked.why_not = "of the " + smallest + " it has no fit (" + std::string(name(fit.status)) +
                     (fit.why.empty() ? "" : ": " + fit.why) + ")";
    return;
  }
  for (const Observation& row : rung) {
    const double told = ranked.form->law.ln_loss(fit.theta, below.centred(row.n, row.d));
    if (!std::isfinite(told)) {
      ranked.why_not = "fitted to the " + smallest + " it gives the next ones no loss";
      return;
    }
    ranked.errors.push_back(told - std::log(row.loss));
  }
}

// Mean absolute error of every rung.
std::vector<double> errors_by_rung(const Ranking& ranking, std::size_t form) {
  const auto rungs = static_cast<std::size_t>(ranking.rungs);
  std::vector<double> sums(rungs), rows(rungs);
  for (std::size_t i = 0; i < ranking.held_out.size(); ++i) {
    const auto rung = static_cast<std::size_t>(ranking.held_out[i].rung);
    sums[rung] += std::abs(ranking.forms[form].errors[i]);
    rows[rung] += 1;
  }
  for (std::size_t r = 0; r < rungs; ++r) sums[r] = std::max(sums[r] / rows[r], kLeastError);
  return sums;
}

FormDifference difference_of(const Ranking& ranking, std::size_t a, std::size_t b, double level) {
  const std::vector<double> of_a = errors_by_rung(ranking, a), of_b = errors_by_rung(ranking, b);
  const double count = ranking.rungs;
  double mean = 0, squares = 0;
  for (std::size_t r = 0; r < of_a.size(); ++r) mean += std::log(of_a[r] / of_b[r]) / count;
  for (std::size_t r = 0; r < of_a.size(); ++r) {
    squares += std::pow(std::log(of_a[r] / of_b[r]) - mean, 2);
  }
  const double reach =
      student_t_quantile((1 + level) / 2, count - 1) * std::sqrt(squares / (count - 1) / count);
  return {a, b, std::exp(mean), {std::exp(mean - reach), std::exp(mean + reach)}};
}

bool holds(const RivalForm& richer, const RivalForm& simpler) {
  return richer.simpler == simpler.id();
}

// Whether `d` shows its a to be worse than its b.
bool shows_a_worse(const Ranking& ranking, const FormDifference& d, double margin) {
  const bool nested = holds(*ranking.forms[d.b].form, *ranking.forms[d.a].form);
  return d.interval.low > (nested ? 1 + margin : 1);
}

void choose(Ranking& ranking, const RankOptions& options) {
  for (const FormDifference& d : ranking.differences) {
    if (shows_a_worse(ranking, d, options.margin)) ranking.forms[d.a].worse = true;
  }
  for (std::size_t i = 0; i < ranking.forms.size(); ++i) {
    const RankedForm& form = ranking.forms[i];
    if (!form.why_not.empty() || form.worse) continue;
    if (!ranking.best || form.mean_error < ranking.forms[*ranking.best].mean_error) {
      ranking.best = i;
    }
  }
  if (!ranking.best) return;
  for (std::size_t i = 0; i < ranking.forms.size(); ++i) {
    const RankedForm& form = ranking.forms[i];
    if (form.why_not.empty() && !form.worse &&
        holds(*ranking.forms[*ranking.best].form, *form.form)) {
      ranking.best = i;
    }
  }
}

}  // namespace

Ranking rank_forms(const std::vector<Observation>& observations, FormScope scope,
                   const RankOptions& options) {
  std::vector<Observation> rows = observations;
  std::sort(rows.begin(), rows.end(), [&](const Observation& a, const Observation& b) {
    return compute_of(a, scope) < compute_of(b, scope);
  });
  Ranking ranking;
  std::size_t fewest = 0;
  for (const RivalForm& form : rival_forms(scope)) {
    ranking.forms.emplace_back().form = &form;
    fewest = std::max(fewest, static_cast<std::size_t>(form.law.parameters()) + 1);
  }
  const std::vector<std::size_t> ends = rung_ends(rows, scope, options, fewest);
  ranking.rungs = static_cast<int>(ends.size()) - 1;
  if (ranking.rungs < static_cast<int>(kFewestRungs)) {
    ranking.missing = "forms are ranked by three rungs or more of runs that a fit to the " +
                      std::to_string(fewest) + " smallest at least has not seen, and there are " +
                      std::to_string(rows.size()) + " runs that differ in size or data";
    return ranking;
  }
  for (int r = 0; r < ranking.rungs; ++r) {
    const std::size_t begin = ends[static_cast<std::size_t>(r)];
    const std::size_t end = ends[static_cast<std::size_t>(r) + 1];
    const std::span<const Observation> rung(rows.data() + begin, end - begin);
    for (const Observation& row : rung) {
      ranking.held_out.push_back({row.n, row.d, row.loss, r});
    }
    const FitData below(std::span<const Observation>(rows.data(), begin));
    const std::vector<FitResult> fits = fit_forms(scope, below);
    for (std::size_t f = 0; f < fits.size(); ++f) {
      tell_rung(ranking.forms[f], fits[f], below, rung);
    }
  }
  for (RankedForm& form : ranking.forms) {
    if (!form.why_not.empty()) continue;
    for (const double error : form.errors) {
      form.mean_error += std::abs(error) / static_cast<double>(form.errors.size());
    }
  }
  for (std::size_t a = 0; a < ranking.forms.size(); ++a) {
    for (std::size_t b = 0; b < ranking.forms.size(); ++b) {
      if (a == b || !ranking.forms[a].why_not.empty() || !ranking.forms[b].why_not.empty())
        continue;
      ranking.differences.push_back(difference_of(ranking, a, b, options.level));
    }
  }
  choose(ranking, options);
  return ranking;
}

}  // namespace scalelaw
