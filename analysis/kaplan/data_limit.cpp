#include "analysis/kaplan/data_limit.h"

#include <cmath>

#include "analysis/laws/formula_law.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

double ln_data(const LowestCurveLaw& law, double ln_c) {
  return ln_c - law.size.at(ln_c) - std::log(3);
}

// Of what compute gives over what the data allow: below 0, compute promises too much.
double ln_ratio(const LowestCurveLaw& law, const DataLaw& data, double ln_c) {
  return law.loss.at(ln_c) - std::log(data.formula.at(std::exp(ln_data(law, ln_c))));
}

}  // namespace

DataLaw data_law(const std::string& formula, std::string words) {
  return {OneColumnFormula({"--data-law", "L", "D", "(5.4e13 / D)^.095"}, formula),
          std::move(words)};
}

DataLaw published_data_law() {
  const FormulaLaw& law = *find_formula_law("power_d");
  return data_law("(" + canonical(*law.constants[0].published) + " / D)^" +
                      canonical(*law.constants[1].published),
                  "Kaplan et al. 2020, 1.2, of another text and tokenizer than these runs'");
}

DataLimit find_data_limit(const LowestCurveLaw& law, const DataLaw& data) {
  DataLimit limit;
  constexpr double kStep = .1;
  const double first = std::log(law.least_c);
  const double last = std::log(law.most_c) + std::log(kDataLimitReach);
  if (!(ln_ratio(law, data, first) > 0)) {
    limit.why = "already at " + scientific(law.least_c) +
                " FLOPs, where runs are, L(D) is no loss " +
                "below theirs: it is not of these runs' text, tokenizer or recipe";
    return limit;
  }
  double above = first;
  while (above < last && ln_ratio(law, data, above + kStep) > 0) above += kStep;
  if (above >= last || !std::isfinite(ln_ratio(law, data, above + kStep))) {
    limit.why = "L(D) stays below L(C_min) up to " + scientific(kDataLimitReach) +
                " times the largest compute";
    return limit;
  }
  double below = above + kStep;
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = .5 * (above + below);
    (ln_ratio(law, data, middle) > 0 ? above : below) = middle;
  }
  return {std::exp(above), std::exp(law.size.at(above)), std::exp(ln_data(law, above)),
          std::exp(law.loss.at(above)), ""};
}

}  // namespace scalelaw
