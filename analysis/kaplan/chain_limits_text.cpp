#include "analysis/kaplan/chain_limits_text.h"

#include <algorithm>
#include <cmath>

#include "analysis/kaplan/chain_numbers.h"
#include "analysis/number_text.h"
#include "analysis/published/published_laws.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string steps_text(double value) {
  return std::isfinite(value) ? fixed(value, 0) : "-";
}

std::string bound_text(const EarlyStop& stop) {
  std::string text = steps_text(stop.bound);
  if (stop.bound_interval) {
    text += " " + interval_text(stop.bound_interval->low, stop.bound_interval->high, 0);
  }
  return text;
}

}  // namespace

void add_early_stops(Document& d, const Chain& chain) {
  if (chain.stops.empty()) return;
  if (!chain.joint.stands()) {
    d.paragraph("Early stopping: cannot tell without L(N, S_min).");
    return;
  }
  DocumentTable table{
      "Least S_min at which a loss can stop to fall, S_c / (L - L(N, inf))^(1/a_S)",
      {{"run", false}, {"N"}, {"tokens of text"}, {"least L"}, {"S_min there"}, {"bound", false}},
      {}};
  constexpr std::size_t kMostRows = 20;
  int rose = 0, kept = 0, without = 0;
  for (const EarlyStop& stop : chain.stops) {
    if (table.rows.size() < kMostRows) {
      table.rows.push_back(
          {stop.name, human(stop.n), human(stop.unique), fixed(stop.loss, 4),
           stop.rose ? steps_text(stop.s_min) : "above " + steps_text(stop.s_min) + ", not seen",
           bound_text(stop)});
    }
    without += !std::isfinite(stop.bound);
    if (!stop.rose || !std::isfinite(stop.bound)) continue;
    ++rose;
    kept += stop.s_min >= stop.bound;
  }
  d.add(table);
  std::string text = "Early stopping (Kaplan et al. 2020, 5.7): of " + std::to_string(rose) +
                     " runs that read their text more than once and whose loss rose again, " +
                     std::to_string(kept) +
                     " stopped to fall no earlier than the bound. L is the " +
                     "least of a smoothed curve, L(N, inf) = (N_c / N)^a_N.";
  if (without > 0) {
    text += " Without a bound, since L is not above L(N, inf): " + std::to_string(without) + ".";
  }
  if (chain.stops.size() > kMostRows) text += " More runs than are shown: see --json.";
  d.paragraph(text);
}

void add_data_limit(Document& d, const Chain& chain, const ChainOptions& options) {
  if (!options.data_law) return;
  const std::string law =
      "L(D) = " + options.data_law->formula.text() + " (" + options.data_law->words + ")";
  if (!chain.adjusted.stands()) {
    d.paragraph("Where L(C_min) meets " + law + ": cannot tell without the adjusted law.");
    return;
  }
  if (!chain.limit.stands()) {
    d.paragraph("L(C_min) does not meet " + law + ": " + chain.limit.why + ".");
    return;
  }
  const PublishedComputeLaws& published = published_compute_laws();
  DocumentTable table{"Where L(C_min) meets L(D(C_min)), D = 2 C_min / (6 N*)",
                      {{"", false}, {"here", false}, {"Kaplan et al. 2020"}},
                      {}};
  table.rows = {
      {"C_min, PF-days", scale_text(chain, ChainNumber::kLimitCompute, kPetaflopDay),
       scientific(published.limit_pf_days)},
      {"N*", scale_text(chain, ChainNumber::kLimitSize, 1), scientific(published.limit_size)},
      {"D, tokens", scale_text(chain, ChainNumber::kLimitData, 1),
       scientific(published.limit_data)},
      {"L", number_text(chain, ChainNumber::kLimitLoss, 3), fixed(published.limit_loss, 1)}};
  d.add(table);
  d.paragraph(law + ", taken as exact. Two lines that are nearly parallel meet here: the last " +
              "digit of an exponent moves the place by factors, and one of the two laws must " +
              "fail before it.");
}

}  // namespace scalelaw
