// Whether two slopes are equal within a stated margin: two one-sided t tests (Schuirmann 1987).
#pragma once

#include <string>

namespace scalelaw {

struct SlopeEquivalence {
  double within = 0;  // the margin, of slopes
  double p = 1;       // the larger of the two tests'
  double p_holm = 1;  // over the pairs that are compared
  // The least margin within which slopes that are equal are found so in at least 80% of such
  // studies.
  double least_margin = 0;
};

// Of a difference with Student's t; `alpha` is each test's level. within > 0, df > 0.
SlopeEquivalence test_equivalence(double difference, double standard_error, double df,
                                  double within, double alpha);

struct Comparison;
// "" where no margin was asked for. `contradicted`: a bend or another look at the runs tells the
// slopes apart, so that equality is of the straight lines alone.
std::string equivalence_sentence(const Comparison& comparison, bool contradicted,
                                 double significance);

}  // namespace scalelaw
