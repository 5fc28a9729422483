#include "analysis/budget/answer_parts.h"
#include "analysis/budget/plain_words.h"
#include "analysis/number_text.h"
#include "analysis/published/published_laws.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> of_laws(const std::vector<PlanningLaw>& laws) {
  const PlanningLaw& law = laws.front();
  std::vector<std::string> list = {
      "Law: " + law.name + ", " + law.words + " (" + law.source + "); parameters are " +
          law.n_words + "; the loss is of " + law.loss_of +
          ": on other text its level differs, sizes and tokens carry over better.",
      "Laws of other papers are of other text, tokens and counts: compare their sizes and tokens, "
      "not their losses."};
  if (law.uncertainty) {
    list.push_back("Ranges: " + law.uncertainty->words +
                   ". They hold the law's constants alone, not how far your recipe is from its.");
  }
  for (const PlanningLaw& of : laws) {
    if (!of.note.empty()) list.push_back("Of " + of.name + ": " + of.note + ".");
  }
  return list;
}

std::string of_readings() {
  return "Readings: " + std::string(published_repetition().words) + ", R* " +
         canonical(published_repetition().of_data) + " for tokens and " +
         canonical(published_repetition().of_size) +
         " for parameters, with this law's own terms; training is stopped before it overfits.";
}

std::string of_device(const TrainingDevice& device) {
  return "Machines: " + std::string(device.name) + ", at most " +
         human(device.peak_flops_per_second) + " FLOP/s in 16 bits, " +
         in_whole_words(device.memory_bytes / 1e9) + " GB (" + std::string(device.source) + ").";
}

std::string of_utilisation(const Utilisation& use) {
  if (use.given) return "Utilisation: " + percent(use.middle, 0) + " of the peak, as given.";
  return "Utilisation: " + percent(use.middle, 0) + " of the peak, an assumption, and so are the " +
         percent(use.low, 0) + " to " + percent(use.high, 0) +
         " beside it. Published: " + std::string(seen_utilisation().source) +
         ". That is while training runs: time lost to failures comes on top. Yours: --utilisation.";
}

}  // namespace

void add_assumptions(const BudgetQuestion& question, const std::vector<PlanningLaw>& laws,
                     const Utilisation& use, BudgetAnswer& answer) {
  std::vector<std::string> list = of_laws(laws);
  if (question.d_unique) list.push_back(of_readings());
  if (question.machines) {
    const TrainingDevice& device = *question.machines->device;
    list.push_back(of_device(device));
    list.push_back(of_utilisation(use));
    answer.json["machines"] = {{"device", device.name},
                               {"count", question.machines->count},
                               {"seconds", question.seconds ? Json(*question.seconds) : Json()},
                               {"peak_flops_per_second", device.peak_flops_per_second},
                               {"utilisation", use.middle},
                               {"utilisation_low", use.low},
                               {"utilisation_high", use.high}};
  }
  answer.document.paragraph("Assumed:");
  answer.document.list(list);
  answer.json["assumed"] = list;
}

}  // namespace scalelaw
