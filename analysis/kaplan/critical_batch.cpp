#include "analysis/kaplan/critical_batch.h"

#include <algorithm>
#include <cmath>

#include "analysis/laws/formula_law.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// A formula has a constant to find at least; this one is always 1.
constexpr const char* kOne = "unit";

// Behind the =, if there is one.
std::string right_side(const std::string& text) {
  const std::size_t equals = text.find('=');
  return equals == std::string::npos ? text : text.substr(equals + 1);
}

LawFormula formula_of(const std::string& text) {
  static const std::string columns[] = {"L"};
  const std::string before = std::string("batch = ") + kOne + "*(";
  try {
    LawFormula formula(before + text + ")", columns);
    for (const std::string& constant : formula.constants()) {
      if (constant == kOne) continue;
      throw ConfigError("--b-crit " + escaped(text) + ": " + escaped(constant) +
                        " has no value; it is a formula of L with numbers, as 2.1e8 / L^(1/.21)");
    }
    return formula;
  } catch (const FormulaFault& fault) {
    const std::size_t at = fault.position() < before.size() ? 0 : fault.position() - before.size();
    throw ConfigError("--b-crit " + escaped(text) + ": " + fault.what() + " at " +
                      formula_place(text, std::min(at, text.size())));
  }
}

}  // namespace

CriticalBatch::CriticalBatch(const std::string& formula, std::string words)
    : text_(right_side(formula)), formula_(formula_of(text_)), words_(std::move(words)) {}

double CriticalBatch::at(double loss) const {
  constexpr double kUnit = 1;
  return formula_.value(&kUnit, &loss);
}

bool CriticalBatch::holds_over(double low, double high) const {
  constexpr int kPlaces = 50;
  double before = HUGE_VAL;
  for (int i = 0; i <= kPlaces; ++i) {
    const double batch = at(low * std::pow(high / low, double(i) / kPlaces));
    if (!(batch > 0) || !std::isfinite(batch) || batch > before * (1 + 1e-12)) return false;
    before = batch;
  }
  return true;
}

double CriticalBatch::inverse_exponent(double low, double high) const {
  return std::log(at(low) / at(high)) / std::log(high / low);
}

CriticalBatch published_critical_batch() {
  const FormulaLaw& law = *find_formula_law("critical_batch");
  const double scale = *law.constants[0].published, exponent = *law.constants[1].published;
  return {canonical(scale) + " / L^(1/" + canonical(exponent) + ")",
          "Kaplan et al. 2020, 1.4, of another text and tokenizer than these runs'"};
}

}  // namespace scalelaw
