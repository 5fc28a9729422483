#include "analysis/kaplan/one_column_formula.h"

#include <algorithm>

#include "analysis/laws/formula_law.h"
#include "trainer/config_error.h"
#include "trainer/escaped.h"

namespace scalelaw {
namespace {

// A formula has a constant to find at least; this one is always 1.
constexpr const char* kOne = "unit";

// Behind the =, if there is one.
std::string right_side(const std::string& text) {
  const std::size_t equals = text.find('=');
  return equals == std::string::npos ? text : text.substr(equals + 1);
}

LawFormula formula_of(const OneColumnFormula::Option& option, const std::string& text) {
  const std::string columns[] = {option.column};
  const std::string before = std::string(option.gives) + " = " + kOne + "*(";
  const std::string where = std::string(option.name) + " " + escaped(text) + ": ";
  try {
    LawFormula formula(before + text + ")", columns);
    for (const std::string& constant : formula.constants()) {
      if (constant == kOne) continue;
      throw ConfigError(where + escaped(constant) + " has no value; it is a formula of " +
                        option.column + " with numbers, as " + option.example);
    }
    return formula;
  } catch (const FormulaFault& fault) {
    const std::size_t at = fault.position() < before.size() ? 0 : fault.position() - before.size();
    throw ConfigError(where + fault.what() + " at " +
                      formula_place(text, std::min(at, text.size())));
  }
}

}  // namespace

OneColumnFormula::OneColumnFormula(const Option& option, const std::string& text)
    : text_(right_side(text)), formula_(formula_of(option, text_)) {}

double OneColumnFormula::at(double x) const {
  constexpr double kUnit = 1;
  return formula_.value(&kUnit, &x);
}

}  // namespace scalelaw
