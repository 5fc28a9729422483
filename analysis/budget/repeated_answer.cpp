#include "analysis/budget/answer_parts.h"
#include "analysis/budget/plain_words.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::string worth_in_words(double unique) {
  return "four readings are worth " + in_plain_words(worth_of_repeated(unique, 4)) +
         " fresh tokens, sixteen " + in_plain_words(worth_of_repeated(unique, 16)) +
         ", and no number of them more than " + in_plain_words(worth_of_repeated(unique, 1e9));
}

std::string lead_of(const BudgetQuestion& q, const PlanningLaw& law,
                    const std::optional<RepeatedPlan>& best) {
  const double unique = *q.d_unique;
  const std::string tokens = in_plain_words(unique);
  if (!best) return "Of " + tokens + " tokens " + worth_in_words(unique) + ".";
  const std::string loss = "about " + fixed(best->loss, 2) + " " + law.loss_unit;
  const std::string size = in_plain_words(best->n) + " parameters";
  if (best->epochs < 1) {
    return said_in_words(q) + " " + said_verb(q) + " spent best on " + size + " and " +
           in_plain_words(best->epochs * unique) + " tokens, for a loss of " + loss + ": of " +
           tokens + " tokens none needs to be read twice.";
  }
  const std::string times = in_plain_words(best->epochs);
  return "Of " + said_in_words(q) + " and " + tokens + " tokens the lowest loss, " + loss +
         ", comes of about " + times + " reading" + (times == "1" ? "" : "s") + " by " + size +
         ". Of these tokens " + worth_in_words(unique) + ".";
}

}  // namespace

void answer_repeated(const BudgetQuestion& q, const PlanningLaw& law, double utilisation,
                     BudgetAnswer& answer) {
  const double unique = *q.d_unique;
  const std::optional<double> flops = flops_of(q, utilisation);
  std::optional<RepeatedPlan> best;
  if (flops) best = plan_of_repeated(law, unique, *flops);
  answer.document.lead(lead_of(q, law, best));
  DocumentTable table{"What readings are worth",
                      {{"readings", false}, {"tokens read"}, {"worth of fresh tokens"}},
                      {}};
  const bool sized = q.n || flops;
  if (sized) {
    table.columns.push_back({"parameters"});
    table.columns.push_back({"loss"});
  }
  Json rows = Json::array();
  for (const double epochs : {1., 2., 3., 4., 6., 8., 11., 16., 23., 32., 45., 64.}) {
    const double worth = worth_of_repeated(unique, epochs);
    std::vector<std::string> row = {canonical(epochs), in_plain_words(unique * epochs),
                                    in_plain_words(worth)};
    Json json = {{"epochs", epochs}, {"d", unique * epochs}, {"d_worth", worth}};
    if (sized) {
      const double n = q.n ? *q.n : *flops / (6 * unique * epochs);
      const double loss = loss_of_repeated(law, n, unique, epochs);
      row.insert(row.end(), {in_plain_words(n), fixed(loss, 3)});
      json["n"] = n;
      json["loss"] = loss;
    }
    table.rows.push_back(row);
    rows.push_back(json);
  }
  answer.document.add(table);
  answer.json["readings"] = rows;
  answer.json["d_worth_at_most"] = worth_of_repeated(unique, 1e9);
  if (best) {
    answer.json["best"] = {{"n", best->n}, {"epochs", best->epochs}, {"loss", best->loss}};
  }
  if (!sized) return;
  const double n = best ? best->n : *q.n, read = best && best->epochs < 1 ? best->epochs : 1;
  const std::string beyond = beyond_in_words(law, {n, read * unique, 0});
  if (!beyond.empty()) answer.warnings.push_back(beyond);
}

}  // namespace scalelaw
