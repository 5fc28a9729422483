#include "analysis/propose/seed_proposals.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/block_error.h"
#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr double kPower = 0.8;

struct Error {
  double standard = 0, df = 1;
  double half_width(double level) const {
    return student_t_quantile(0.5 + 0.5 * level, df) * standard;
  }
};

Error error_of(double sd, double df, int seeds_a, int seeds_b, double text_variance) {
  const double seeds = sd * sd * (1.0 / seeds_a + 1.0 / seeds_b);
  return {
      std::sqrt(seeds + text_variance),
      satterthwaite_df(std::array{VariancePart{seeds, df}, VariancePart{text_variance, kBlockDf}})};
}

const SizeCell& nearest_cell(const ArmLaws& laws, double n) {
  return *std::ranges::min_element(laws.cells, {},
                                   [&](const SizeCell& c) { return std::abs(std::log(c.n / n)); });
}

// Two runs at the cheapest common size: two degrees of freedom where there were none.
ProposalList seeds_to_know_noise(const RunTable& table, const ArmLaws& a,
                                 const ArmSettings& settings) {
  ProposalList list;
  const SizeCell& cell = a.cells.front();
  list.proposals.push_back(
      {ProposalKind::kNeeded,
       a.arm,
       settings.of_measured(table.rows[cell.rows.front()]),
       2,
       {},
       "no size has two seeds: what a difference between arms at one size is worth is not known"});
  return list;
}

}  // namespace

std::optional<SeedAnswer> further_seeds(double difference, double sd, double df, int seeds_a,
                                        int seeds_b, double text_variance, double level) {
  const double now = error_of(sd, df, seeds_a, seeds_b, text_variance).half_width(level);
  for (int more = 1; more <= kMostFurtherSeeds; ++more) {
    const Error then = error_of(sd, df + 2 * more, seeds_a + more, seeds_b + more, text_variance);
    if (t_test_power(std::abs(difference), then.standard, then.df, 1 - level) < kPower) continue;
    return SeedAnswer{more, 1 - then.half_width(level) / now};
  }
  return {};
}

ProposalList seed_proposals(const RunTable& table, const Comparison& comparison, const ArmLaws& a,
                            const ArmLaws& b, const ArmSettings& settings_a,
                            const ArmSettings& settings_b) {
  ProposalList list;
  const SeedNoise& noise = a.noise.seed;
  if (comparison.at_equal_n.empty()) return list;
  if (noise.df == 0) return seeds_to_know_noise(table, a, settings_a);
  std::string hopeless;
  for (const EqualSizeDifference& at : comparison.at_equal_n) {
    if (!at.standard_error || !(*at.standard_error > 0)) continue;
    const double t = student_t_quantile(0.5 + 0.5 * comparison.level, at.df);
    if (std::abs(at.ln_loss_difference) > t * *at.standard_error) continue;
    const SizeCell &of_a = nearest_cell(a, at.n), &of_b = nearest_cell(b, at.n);
    const double seeds =
        noise.sd_ln_loss * noise.sd_ln_loss * (1.0 / of_a.seeds() + 1.0 / of_b.seeds());
    const double text =
        at.text_counted ? std::max(0.0, std::pow(*at.standard_error, 2) - seeds) : 0;
    const auto answer = further_seeds(at.ln_loss_difference, noise.sd_ln_loss, noise.df,
                                      of_a.seeds(), of_b.seeds(), text, comparison.level);
    if (!answer) {
      hopeless += (hopeless.empty() ? "" : ", ") + human(at.n);
      continue;
    }
    const std::string reason = a.arm + " and " + b.arm + " near N = " + human(at.n) +
                               " differ by " + percent(std::abs(at.ln_loss_difference), 2) +
                               " of the loss, within noise (" + percent(t * *at.standard_error, 2) +
                               "): with " + std::to_string(answer->seeds) +
                               (answer->seeds == 1 ? " further seed" : " further seeds") +
                               " of both such a difference is found in 80% of studies";
    list.proposals.push_back({ProposalKind::kSeeds, a.arm,
                              settings_a.of_measured(table.rows[of_a.rows.front()]), answer->seeds,
                              answer->gain, reason, 1});
    list.proposals.push_back({ProposalKind::kSeeds, b.arm,
                              settings_b.of_measured(table.rows[of_b.rows.front()]), answer->seeds,
                              answer->gain, reason});
  }
  if (!hopeless.empty()) {
    list.notes.push_back(
        "Seeds do not tell " + a.arm + " and " + b.arm + " apart at N = " + hopeless +
        ": the differences seen there are so small that more than " +
        std::to_string(kMostFurtherSeeds) + " further seeds of both would be needed.");
  }
  return list;
}

}  // namespace scalelaw
