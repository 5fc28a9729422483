// The batch at which training costs twice the least compute and twice the least steps, of the loss
// reached: Kaplan et al. 2020, 1.4, B_crit(L) = B_* / L^(1/a_B), in tokens.
#pragma once

#include <string>

#include "analysis/kaplan/one_column_formula.h"

namespace scalelaw {

class CriticalBatch {
 public:
  // "batch = 2.1e8 / L^(1/.21)", or what is behind the =: a formula of L alone. `words` says whose
  // it is. ConfigError names the character, or a constant that has no value.
  CriticalBatch(const std::string& formula, std::string words);
  // L > 0, tokens. Above 0 wherever holds_over() is.
  double at(double loss) const;
  // Positive, finite and not growing with L anywhere between.
  bool holds_over(double low, double high) const;
  // 1 / a_B, the mean of -d ln B_crit / d ln L between two losses.
  double inverse_exponent(double low, double high) const;
  const std::string& words() const { return words_; }
  const std::string& formula() const { return formula_.text(); }

 private:
  OneColumnFormula formula_;
  std::string words_;
};

CriticalBatch published_critical_batch();

}  // namespace scalelaw
