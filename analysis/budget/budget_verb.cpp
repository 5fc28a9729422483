#include "analysis/budget/budget_verb.h"

#include <algorithm>
#include <iostream>

#include "analysis/budget/answer.h"
#include "analysis/predict/surface_verb.h"
#include "trainer/config_error.h"
#include "trainer/nearest.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::optional<double> number_in(const std::string& option, const std::string& text, double most) {
  if (text.empty()) return std::nullopt;
  const std::optional<double> value = parse_real(text);
  if (!value || !(*value > 0) || *value > most) {
    throw ConfigError(option + " " + text + ": is no number above 0 and up to " + canonical(most) +
                      (most == 1 ? ", such as 45% or 0.45" : ""));
  }
  return value;
}

// `chosen` first.
std::vector<PlanningLaw> laws_from(const std::string& chosen) {
  std::vector<PlanningLaw> laws = published_planning_laws();
  std::vector<std::string> names;
  for (const PlanningLaw& law : laws) names.push_back(law.name);
  const auto found = std::find(names.begin(), names.end(), chosen);
  if (found == names.end()) {
    const std::string near = nearest(chosen, names);
    std::string all;
    for (const std::string& law : names) all += (all.empty() ? "" : ", ") + law;
    throw ConfigError("--law " + chosen + ": no published law of that name; there are " + all +
                      (near.empty() ? "" : "; did you mean " + near + "?"));
  }
  std::rotate(laws.begin(), laws.begin() + (found - names.begin()),
              laws.begin() + (found - names.begin()) + 1);
  return laws;
}

PlanningLaw law_of_runs(const FitArguments& fit, const std::string& arm) {
  const FittedSurface surface = fitted_surface(fit, arm);
  PlanningLaw law;
  for (const LawParameter& p :
       chinchilla_law().published(surface.fit.best.theta, surface.fit.data.centre)) {
    (p.symbol == "E"       ? law.e
     : p.symbol == "A"     ? law.a
     : p.symbol == "alpha" ? law.alpha
     : p.symbol == "B"     ? law.b
                           : law.beta) = p.value;
  }
  if (surface.fit.best.status == FitStatus::kAtBound) law.e = 0;
  law.name = "own fit";
  law.words = "arm " + surface.arm + ", " + std::to_string(surface.fit.recipes) +
              " runs that differ in N or D";
  law.source = surface.runs.source;
  law.n_words = in_words(surface.selection.n_count);
  law.loss_of = surface.selection.test_set + ", in the runs' own tokens";
  law.loss_unit = unit(surface.selection.metric);
  law.n_range = surface.sizes;
  law.d_range = surface.tokens;
  law.uncertainty = gauss_newton_uncertainty(surface.fit.data, surface.fit.best);
  if (law.uncertainty) {
    law.uncertainty->words = std::string("95% of the fit, ") + kOwnFitCoverage;
  } else {
    law.note = "the runs leave its constants open, so there are no ranges";
  }
  if (!surface.floor.identified()) {
    law.note += (law.note.empty() ? "" : "; ") +
                std::string(
                    "the runs do not identify its floor, so losses far beyond them are a "
                    "guess");
  }
  warn(surface.runs.warnings);
  return law;
}

}  // namespace

BudgetVerb::BudgetVerb(CLI::App& app)
    : verb_(app.add_subcommand("budget", "plan: how large a model, how many tokens, what loss")) {
  verb_->add_option("question", words_, "what is there, what is asked; see the examples")
      ->type_name("WORDS");
  verb_->add_option("--gpus", gpus_, "machines: 100xA100, 8 H100-PCIe");
  verb_->add_option("--days", days_, "for how many days");
  verb_->add_option("--params", params_, "parameters: 10B");
  verb_->add_option("--tokens", tokens_, "training tokens: 1T");
  verb_->add_option("--flops", flops_, "compute in place of machines: 1e24");
  verb_->add_option("--loss", loss_, "loss to reach, nats per token");
  verb_->add_option("--inference", inference_, "tokens of inference over the model's life: 2T");
  verb_->add_option("--unique", unique_, "tokens that there are, to be read more than once");
  verb_->add_option("--utilisation", utilisation_,
                    "share of the machines' peak that training reaches: 45% (default: 40%, and 30% "
                    "to 50% beside it)");
  verb_->add_option("--price", price_, "of one machine for an hour, in any currency");
  CLI::Option* law = verb_->add_option("--law", law_, "published law: epoch, chinchilla, kaplan")
                         ->capture_default_str();
  CLI::Option* from = verb_->add_option("--from", fit_.runs,
                                        "fit L(N, D) to these runs and plan by it: sweep record, "
                                        "folder of runs, or run folder");
  from->type_name("RUNS")->allow_extra_args(false)->excludes(law);
  verb_->add_option("--arm", arm_, "with --from: which arm")->needs(from);
  add_selection(*verb_, fit_);
  for (const char* option : {"--n-count", "--test-set", "--metric", "--bytes"}) {
    verb_->get_option(option)->needs(from);
  }
  verb_->add_flag("--json", fit_.json, "for scripts");
  verb_->footer(
      "Examples:\n"
      "  scalelaw budget 100 A100s for a month\n"
      "  scalelaw budget 10 B parameters: tokens\n"
      "  scalelaw budget 1 T tokens: size\n"
      "  scalelaw budget 10 B to 100 B: gain\n"
      "  scalelaw budget 10,000 H100s for a month --price 2\n"
      "A month is 30 days. C = 6 N D. docs/budget.md has more questions: a loss to reach, "
      "inference "
      "over\nthe model's life, data read more than once.\n"
      "Ends with 0 when an answer stands, 2 when the question is not understood.");
}

Outcome BudgetVerb::run() const {
  std::vector<std::string> words = words_;
  const auto add = [&](const std::string& value, const std::string& before,
                       const std::string& after) {
    if (!value.empty()) words.push_back(before + value + after);
  };
  add(gpus_, "", "");
  add(days_, "", " days");
  add(params_, "", " parameters");
  add(tokens_, "", " tokens");
  add(flops_, "", " FLOPs");
  add(loss_, "loss ", "");
  add(inference_, "", " inference tokens");
  add(unique_, "", " unique tokens");
  const BudgetQuestion question = budget_question(words);
  (void)topic_of(question);  // before runs are read for nothing
  const BudgetOptions options{number_in("--utilisation", utilisation_, 1),
                              number_in("--price", price_, 1e6)};
  std::vector<PlanningLaw> laws = laws_from(law_);
  if (!fit_.runs.empty()) laws.insert(laws.begin(), law_of_runs(fit_, arm_));
  const BudgetAnswer answer = answer_budget(question, laws, options);
  if (fit_.json) {
    std::cout << answer.json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  } else {
    std::cout << to_markdown(answer.document, "");
  }
  return {kExitComplete};
}

}  // namespace scalelaw
