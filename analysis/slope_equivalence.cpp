#include "analysis/slope_equivalence.h"

#include <cmath>

#include "analysis/compare.h"
#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {

SlopeEquivalence test_equivalence(double difference, double standard_error, double df,
                                  double within, double alpha) {
  SlopeEquivalence out;
  out.within = within;
  const double room = within - std::abs(difference);  // to the nearer margin: the larger p
  out.p = standard_error > 0 ? student_t_cdf(-room / standard_error, df) : room > 0 ? 0 : 1;
  out.p_holm = out.p;
  // Either test finds its side with 90%, so both with about 80%: 72% to 81% in
  // tests/analysis/gain_coverage_test.cpp, least where the arms scatter unequally.
  out.least_margin = detectable_effect(standard_error, df, 2 * alpha, 0.9);
  return out;
}

std::string equivalence_sentence(const Comparison& c, bool contradicted, double significance) {
  if (!c.equivalence) return "";
  const SlopeEquivalence& e = *c.equivalence;
  const std::string margin = human(e.within);
  const std::string p = "p " + std::string(e.p_holm < 0.001 ? "" : "= ") + p_text(e.p_holm);
  if (!(e.p_holm < significance)) {
    return "Equivalence: the slopes are not shown to be equal within " + margin + " (" + p +
           ", two one-sided t tests), nor does that show them to differ by more. Equal slopes are "
           "found equal within " +
           fixed(e.least_margin, 3) + " in about 80% of such studies.";
  }
  std::string text = "Equivalence: the slopes are equivalent within " + margin + " (" + p +
                     ", two one-sided t tests)";
  if (c.p_holm < significance) text += ", though they differ";
  if (contradicted) {
    text +=
        ", as straight lines: an arm bends, or another look at the runs tells them apart, so "
        "that no equality of the laws is shown";
  }
  return text + ".";
}

}  // namespace scalelaw
