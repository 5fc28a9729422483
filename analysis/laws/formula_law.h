// Laws as formulas: whatever `scalelaw fit --law` takes by name or as text, over any table.
//
// Beside law.h, and not in its place: those are sums of powers in centred logs, whose coefficients
// are solved in closed form, which thousands of refits of a ladder need (profiles, coverage by
// simulation). A FormulaLaw knows nothing of its form; analysis/fitting/formula_fit.h finds which
// constants enter linearly by itself.
#pragma once

#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/laws/law_formula.h"

namespace scalelaw {

// On what scale a constant is searched.
enum class Transform {
  kLog,     // positive: ln of it
  kLinear,  // any sign
  kLogit,   // between low and high
};

struct FormulaConstant {
  std::string symbol;
  Transform transform = Transform::kLog;
  // Best fits beyond are at a bound. Of kLog the ends may be 0 and infinite.
  double low = 0, high = std::numeric_limits<double>::infinity();
  // Where the search begins, unless the constant enters linearly and is solved for.
  double start_low = 1e-3, start_high = 1e3;
  std::optional<double> published = {};

  double to_search(double value) const;
  double from_search(double u) const;
  double slope(double u) const;  // d from_search / d u
  double bend(double u) const;   // d slope / d u
};

struct FormulaLaw {
  std::string id;     // "kaplan_nd"; of the user's own "own"
  std::string about;  // "loss of size and data, Kaplan's form"
  LawFormula formula;
  std::vector<FormulaConstant> constants;  // in the formula's order
  std::string source;
  bool in_ln = true;  // residuals in ln of what the law gives; false where it may be 0 (accuracy)
  std::string other_id = {};  // a second name

  double value(std::span<const double> values, std::span<const double> row) const {
    return formula.value(values.data(), row.data());
  }
};

// Every law that has a name, in the order in which `scalelaw fit --laws` lists them.
const std::vector<FormulaLaw>& named_formula_laws();
const FormulaLaw* find_formula_law(std::string_view id);

// A law of the user's own. A constant in an exponent may have any sign and is sought in [-3, 3];
// one whose name begins with a capital is positive; any other may have any sign. FormulaFault.
FormulaLaw own_law(const std::string& text, std::span<const std::string> columns);

// The `column` at which the law gives `target`, the other columns as in `row`, between low and high
// > 0 (by halving of its logarithm). nullopt where the law does not cross it there: a target below
// the floor is never reached.
std::optional<double> inverse(const FormulaLaw& law, std::span<const double> values,
                              std::vector<double> row, std::size_t column, double target,
                              double low, double high);

// Columns a formula may take by these names: "N", "D", ..., whatever the table calls them.
std::span<const std::string> law_columns();

// One file each: a family of named laws.
std::vector<FormulaLaw> laws_of_one_scale();       // L(N), L(D), L(C), learning curves, context
std::vector<FormulaLaw> laws_of_size_and_data();   // Kaplan's, Chinchilla's and their kin
std::vector<FormulaLaw> laws_of_batch_and_rate();  // critical batch, hyperbola, Step Law
std::vector<FormulaLaw> laws_of_tasks();           // accuracy and pass rate
std::vector<FormulaLaw> rival_forms();             // logarithm, Rosenfeld, Kolachina's

}  // namespace scalelaw
