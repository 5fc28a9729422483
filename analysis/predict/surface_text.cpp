#include "analysis/predict/surface_text.h"

#include <nlohmann/json.hpp>

#include "analysis/number_text.h"
#include "analysis/predict/predicting_law.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

using Json = nlohmann::ordered_json;

PredictingLaw law_of(const FittedSurface& s) {
  const Law& law = chinchilla_law();
  return predicting_law(law, law.published(s.fit.best.theta, s.fit.data.centre),
                        std::to_string(s.fit.recipes) + " runs that differ in N or D");
}

std::string floor_in_words(const ProfileInterval& floor) {
  const std::string low = floor.low_bounded ? fixed(floor.low, 3) : "0";
  const std::string high = floor.high_bounded ? fixed(floor.high, 3) : "the smallest loss";
  return (floor.identified() ? "identified, " : "not identified, ") + low + " to " + high;
}

// At both ends of what was fitted.
std::string sizes_in_words(const FittedLaw& law) {
  if (!law.interval) return "";
  const auto at = [&](double budget) {
    const FitRange known = *law.interval_at(budget);
    return human(law.at(budget)) + " [" + human(known.low) + ", " + human(known.high) + "] at C " +
           human(budget);
  };
  return " N* is " + at(law.low) + " and " + at(law.high) +
         " (95%, coefficient and exponent jointly, likewise).";
}

std::string optimum_in_words(const FittedSurface& s) {
  if (!s.n_opt)
    return "No N* of a budget (" + std::string(name(s.optimum.status)) + "): " + s.why_no_law + ".";
  const FittedLaw& law = *s.n_opt;
  return "A budget is spent best at N* = " + human(law.coefficient) + " C^" +
         fixed(law.exponent, 3) + ", D* ~ C^" + fixed(1 - law.exponent, 3) + " (exponent " +
         interval_text(s.optimum.interval->low, s.optimum.interval->high, 3) +
         ", 95%, by leaving each run out in turn), where C = 6 N D of this N (" +
         std::string(name(*law.c_count)) + "), fitted over C " + human(law.low) + " to " +
         human(law.high) + ", N " + human(s.sizes.low) + " to " + human(s.sizes.high) + ", D " +
         human(s.tokens.low) + " to " + human(s.tokens.high) + "." + sizes_in_words(law);
}

Json bounded(bool is_bounded, double value) {
  return is_bounded ? Json(value) : Json();
}

}  // namespace

Document document_of(const FittedSurface& s) {
  Document document;
  document.heading("L(N, D) of " + s.arm);
  document.paragraph("Final loss on " + s.selection.test_set + " (" +
                     std::string(name(s.selection.metric)) + "), N counted as " +
                     std::string(name(s.selection.n_count)) + ", D training tokens.");
  const PredictingLaw law = law_of(s);
  DocumentTable table{law.formula + ", " + law.over, {{"constant", false}, {"value"}}, {}};
  for (const LawConstant& c : law.constants) {
    table.rows.push_back({c.symbol, human(c.value)});
  }
  document.add(table);
  document.list({"fit: " + std::string(name(s.fit.best.status)) +
                     (s.fit.best.why.empty() ? "" : ", " + s.fit.best.why),
                 "floor E: " + floor_in_words(s.floor) + " (profile, 95%)"});
  document.paragraph(optimum_in_words(s));
  return document;
}

std::string to_json(const FittedSurface& s) {
  const PredictingLaw law = law_of(s);
  Json constants = Json::object();
  for (const LawConstant& c : law.constants) constants[c.symbol] = c.value;
  Json n_opt = {{"status", name(s.optimum.status)}, {"why", s.why_no_law}};
  if (s.n_opt) {
    n_opt["coefficient"] = s.n_opt->coefficient;
    n_opt["exponent"] = s.n_opt->exponent;
    n_opt["exponent_standard_error"] = s.optimum.standard_error;
    n_opt["exponent_interval"] = {s.optimum.interval->low, s.optimum.interval->high};
    n_opt["n_count"] = name(*s.n_opt->n_count);
    n_opt["c_count"] = name(*s.n_opt->c_count);
    n_opt["low"] = s.n_opt->low;
    n_opt["high"] = s.n_opt->high;
    n_opt["n_range"] = {{"low", s.sizes.low}, {"high", s.sizes.high}};
    n_opt["d_range"] = {{"low", s.tokens.low}, {"high", s.tokens.high}};
    if (const auto& known = s.n_opt->interval) {
      n_opt["interval"] = {{"level", known->level},
                           {"centre", known->centre},
                           {"ln_reach", known->ln_reach},
                           {"exponent_reach", known->exponent_reach}};
    }
  }
  const Json json = {{"arm", s.arm},
                     {"n_count", name(s.selection.n_count)},
                     {"test_set", s.selection.test_set},
                     {"metric", name(s.selection.metric)},
                     {"law", law.id},
                     {"formula", law.formula},
                     {"recipes", s.fit.recipes},
                     {"runs", s.runs.rows.size()},
                     {"status", name(s.fit.best.status)},
                     {"why", s.fit.best.why},
                     {"constants", constants},
                     {"e_profile_gaussian",
                      {{"low", bounded(s.floor.low_bounded, s.floor.low)},
                       {"high", bounded(s.floor.high_bounded, s.floor.high)},
                       {"identified", s.floor.identified()}}},
                     {"n_opt", n_opt},
                     {"warnings", s.runs.warnings}};
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace scalelaw
