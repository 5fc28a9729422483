#include "analysis/ranking/rank_verb.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "analysis/number_text.h"
#include "analysis/predict/surface_fit.h"
#include "analysis/predict/surface_verb.h"
#include "analysis/ranking/rank_forms.h"
#include "analysis/report/document.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

int distinct_horizons(const RunTable& runs) {
  std::vector<const RunRow*> firsts;
  for (const RunRow& row : runs.rows) {
    bool met = false;
    for (const RunRow* first : firsts) met = met || same_horizon(*first, row);
    if (!met) firsts.push_back(&row);
  }
  return static_cast<int>(firsts.size());
}

struct Ranked {
  RunTable runs;
  Selection selection;
  std::string arm;
  FormScope scope = FormScope::kSize;
  Ranking ranking;
};

Ranked rank(const FitArguments& a, const std::string& asked_arm) {
  Ranked r;
  r.selection = options_from(a).selection;
  r.runs = read_runs({a.runs.begin(), a.runs.end()});
  if (r.selection.by == ArmGrouping::kArchitecture) {
    for (RunRow& row : r.runs.rows) row.arm = row.record.shape.arch;
  }
  r.arm = chosen_arm(r.runs, asked_arm);
  std::erase_if(r.runs.rows, [&](const RunRow& row) { return row.arm != r.arm; });
  const bool over_d =
      !r.selection.train_tokens && distinct_horizons(r.runs) >= kFewestOfEachForSurface;
  r.scope = over_d ? FormScope::kSizeAndData : FormScope::kSize;
  select_runs(r.runs, r.selection, over_d ? Horizons::kAll : Horizons::kOne);
  std::vector<Observation> rows;
  for (const SizeCell& cell : size_cells(r.runs, r.arm, r.selection)) {
    rows.push_back(
        {cell.n, r.runs.rows[cell.rows.front()].d_tokens(), std::exp(cell.mean_ln_loss), 1});
  }
  r.ranking = rank_forms(rows, r.scope);
  if (!r.ranking.missing.empty()) throw ConfigError("arm " + r.arm + ": " + r.ranking.missing);
  return r;
}

const FormDifference* against_best(const Ranking& ranking, std::size_t form) {
  for (const FormDifference& d : ranking.differences) {
    if (d.a == form && d.b == ranking.best) return &d;
  }
  return nullptr;
}

std::string verdict(const Ranking& ranking, std::size_t i) {
  const RankedForm& form = ranking.forms[i];
  if (!form.why_not.empty()) return form.why_not;
  if (ranking.best == i) return "taken";
  return form.worse ? "worse" : "not distinguishable";
}

std::string lead(const Ranked& r) {
  if (!r.ranking.best)
    return "None of the forms can be fitted to the smaller runs of " + r.arm + ".";
  const RankedForm& best = r.ranking.forms[*r.ranking.best];
  std::string rivals;
  bool all_told = true;
  for (std::size_t i = 0; i < r.ranking.forms.size(); ++i) {
    const RankedForm& form = r.ranking.forms[i];
    all_told = all_told && form.why_not.empty();
    if (i == *r.ranking.best || form.worse || !form.why_not.empty()) continue;
    rivals += (rivals.empty() ? "" : ", ") + std::string(form.form->id());
  }
  return "Of runs of " + r.arm +
         " that it had not seen, larger than those that it was fitted to, " +
         std::string(best.form->id()) + " (" + std::string(best.form->law.formula()) +
         ") tells the loss to " + percent(best.mean_error, 2) + " on average" +
         (rivals.empty() ? all_told ? ", and every other form is worse."
                                    : ", and every other form that could be fitted is worse."
                         : "; not distinguishable from it: " + rivals + ".");
}

Document document_of(const Ranked& r) {
  Document document;
  document.heading("Forms of the law of " + r.arm);
  document.lead(lead(r));
  document.paragraph("Each form is fitted to the runs of least " +
                     std::string(r.scope == FormScope::kSize ? "N" : "compute (6 N D)") +
                     " and asked for the next ones, in " + std::to_string(r.ranking.rungs) +
                     " rungs of " + std::to_string(r.ranking.held_out.size()) +
                     " runs in all; seeds of one recipe are one run. " + "Final loss on " +
                     r.selection.test_set + " (" + std::string(name(r.selection.metric)) +
                     "), N counted as " + std::string(name(r.selection.n_count)) + ".");
  DocumentTable table{"Errors of what was not seen",
                      {{"form", false},
                       {"law", false},
                       {"constants"},
                       {"mean error"},
                       {"times that of the form taken, 95%"},
                       {"", false}},
                      {}};
  for (std::size_t i = 0; i < r.ranking.forms.size(); ++i) {
    const RankedForm& form = r.ranking.forms[i];
    const FormDifference* d = against_best(r.ranking, i);
    table.rows.push_back(
        {std::string(form.form->id()), std::string(form.form->law.formula()),
         std::to_string(form.form->law.parameters()),
         form.why_not.empty() ? percent(form.mean_error, 2) : "",
         d ? fixed(d->ratio, 2) + " " + interval_text(d->interval.low, d->interval.high, 2) : "",
         verdict(r.ranking, i)});
  }
  document.add(table);
  document.paragraph(
      "The ratio is the geometric mean over rungs, its interval Student's t over them. A form that "
      "holds a plainer one is taken only where the plainer one is worse, by 5% for certain. How "
      "often this is right: docs/studies/ranking.md.");
  return document;
}

std::string json_of(const Ranked& r) {
  Json forms = Json::array(), differences = Json::array();
  for (std::size_t i = 0; i < r.ranking.forms.size(); ++i) {
    const RankedForm& form = r.ranking.forms[i];
    const bool ranked = form.why_not.empty();
    forms.push_back({{"form", form.form->id()},
                     {"formula", form.form->law.formula()},
                     {"parameters", form.form->law.parameters()},
                     {"mean_error_ln_loss", ranked ? Json(form.mean_error) : Json()},
                     {"worse", form.worse},
                     {"why", form.why_not}});
  }
  for (const FormDifference& d : r.ranking.differences) {
    differences.push_back({{"a", r.ranking.forms[d.a].form->id()},
                           {"b", r.ranking.forms[d.b].form->id()},
                           {"ratio", d.ratio},
                           {"interval", {d.interval.low, d.interval.high}}});
  }
  const Json json = {
      {"arm", r.arm},
      {"of", r.scope == FormScope::kSize ? "N" : "N, D"},
      {"n_count", name(r.selection.n_count)},
      {"test_set", r.selection.test_set},
      {"metric", name(r.selection.metric)},
      {"rungs", r.ranking.rungs},
      {"held_out", r.ranking.held_out.size()},
      {"taken", r.ranking.best ? Json(r.ranking.forms[*r.ranking.best].form->id()) : Json()},
      {"forms", forms},
      {"differences", differences},
      {"warnings", r.runs.warnings}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

RankVerb::RankVerb(CLI::App& app)
    : verb_(app.add_subcommand("rank", "which form of the law foretells larger runs best")) {
  verb_->add_option("runs", arguments_.runs, "sweep record, folder of runs, or run folders")
      ->required()
      ->type_name("RUNS");
  add_selection(*verb_, arguments_);
  verb_->add_option("--arm", arm_, "whose law (default: the only one)");
  verb_->add_option("--tokens", arguments_.tokens, "laws of N, of runs of this many tokens");
  verb_->add_flag("--json", arguments_.json, "for scripts");
  verb_->footer(
      "Example: scalelaw rank runs/sweeps/grid.json\n"
      "Runs of three D or more rank laws of N and D, else laws of N. Each form is fitted to the "
      "smaller\nruns and asked for the next ones, up the ladder.\n"
      "Ends with 0 when a ranking stands, 2 when there are too few runs.");
}

Outcome RankVerb::run() const {
  const Ranked ranked = rank(arguments_, arm_);
  if (arguments_.json) {
    std::cout << json_of(ranked);
  } else {
    std::cout << to_markdown(document_of(ranked), "");
    warn(ranked.runs.warnings);
  }
  return {kExitComplete};
}

}  // namespace scalelaw
