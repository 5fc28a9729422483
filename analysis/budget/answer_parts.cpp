#include "analysis/budget/answer_parts.h"

#include <cmath>

#include "analysis/budget/plain_words.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

// Narrower than this it is rounding of what was given.
constexpr double kGiven = 1e-9;

std::optional<Interval> band_of(const PlanningLaw& law, const PlanOf& plan_of,
                                const std::function<double(const TrainingPlan&)>& value) {
  const auto found = band(law, [&](const PlanningLaw& at) -> std::optional<double> {
    const std::optional<TrainingPlan> plan = plan_of(at);
    return plan ? std::optional(value(*plan)) : std::nullopt;
  });
  return found && found->high > found->low * (1 + kGiven) ? found : std::nullopt;
}

std::string how_far(double value, const FitRange& range, const std::string& largest,
                    const std::string& smallest) {
  if (range.high > 0 && value > 1.05 * range.high) {
    return times_in_words(value / range.high) + " beyond the " + largest + " (" +
           in_plain_words(range.high) + ")";
  }
  if (range.low > 0 && value < range.low / 1.05) {
    return times_in_words(range.low / value) + " below the " + smallest + " (" +
           in_plain_words(range.low) + ")";
  }
  return "";
}

}  // namespace

std::optional<BandedPlan> banded(const PlanningLaw& law, const PlanOf& plan_of) {
  const std::optional<TrainingPlan> plan = plan_of(law);
  if (!plan || !std::isfinite(plan->loss) || !(plan->n >= 1) || !(plan->d >= 1)) {
    return std::nullopt;
  }
  return BandedPlan{*plan, band_of(law, plan_of, [](const TrainingPlan& p) { return p.n; }),
                    band_of(law, plan_of, [](const TrainingPlan& p) { return p.d; }),
                    band_of(law, plan_of, [](const TrainingPlan& p) { return p.loss; }),
                    band_of(law, plan_of, [](const TrainingPlan& p) { return p.flops(); })};
}

std::string beyond_in_words(const PlanningLaw& law, const TrainingPlan& plan) {
  const std::string size =
      how_far(plan.n, law.n_range, "largest model behind this law", "smallest model behind it");
  const std::string tokens = how_far(plan.d, law.d_range, "longest training behind this law",
                                     "shortest training behind it");
  if (size.empty() && tokens.empty()) return "";
  return "The plan lies " + size + (!size.empty() && !tokens.empty() ? " and " : "") + tokens +
         ". The ranges given do not cover that the law may bend out there.";
}

DocumentTable plans_by_law(const std::vector<PlanningLaw>& laws, const PlanOf& plan_of) {
  DocumentTable table{
      "The same by each law: their disagreement is the wider uncertainty",
      {{"law", false}, {"parameters"}, {"tokens"}, {"tokens a parameter"}, {"loss"}, {"compute"}},
      {}};
  for (const PlanningLaw& law : laws) {
    const std::optional<BandedPlan> found = banded(law, plan_of);
    const std::string title = law.name + " (" + law.words + ")";
    if (!found) {
      table.rows.push_back({title, "no such plan", "", "", "", ""});
      continue;
    }
    const TrainingPlan& plan = found->plan;
    table.rows.push_back({title, in_plain_words(plan.n), in_plain_words(plan.d),
                          in_plain_words(plan.d / plan.n), loss_in_words(plan.loss, found->loss),
                          flops_in_words(plan.flops())});
  }
  return table;
}

Json json_of(const std::optional<Interval>& band) {
  return band ? Json{{"low", band->low}, {"high", band->high}} : Json();
}

Json json_of(const PlanningLaw& law, const std::optional<BandedPlan>& found) {
  Json json = {{"law", law.name}, {"source", law.source}, {"reached", found.has_value()}};
  if (!found) return json;
  const TrainingPlan& plan = found->plan;
  json["n"] = plan.n;
  json["n_interval"] = json_of(found->n);
  json["d"] = plan.d;
  json["d_interval"] = json_of(found->d);
  json["loss"] = plan.loss;
  json["loss_interval"] = json_of(found->loss);
  json["flops"] = plan.flops();
  json["flops_interval"] = json_of(found->flops);
  json["times_beyond_n"] = law.n_range.high > 0 ? Json(plan.n / law.n_range.high) : Json();
  json["times_beyond_d"] = law.d_range.high > 0 ? Json(plan.d / law.d_range.high) : Json();
  return json;
}

}  // namespace scalelaw
