#include "analysis/kaplan/critical_batch.h"

#include <cmath>

#include "analysis/laws/formula_law.h"
#include "trainer/number.h"

namespace scalelaw {

CriticalBatch::CriticalBatch(const std::string& formula, std::string words)
    : formula_({"--b-crit", "batch", "L", "2.1e8 / L^(1/.21)"}, formula),
      words_(std::move(words)) {}

double CriticalBatch::at(double loss) const {
  return formula_.at(loss);
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
