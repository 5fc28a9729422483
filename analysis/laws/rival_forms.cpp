// Other curves through the same points.
#include "analysis/laws/formula_constants.h"

namespace scalelaw {

std::vector<FormulaLaw> rival_forms() {
  const double infinite = std::numeric_limits<double>::infinity();
  return {
      formula_law("logarithm", "loss of size, without a power", "L = k*ln(N_c/N)",
                  {positive("k", .25), scale_of_column("N_c", 7.1e12)},
                  "Kaplan et al. 2020, figure 23"),
      // Only the ratios of A, B and E to Rosenfeld's eta count, so eta is 1.
      formula_law(
          "rosenfeld", "loss of size and data, from a best guess L_0 down",
          "e = A*N^-alpha + B*D^-beta + E; L = L_0*e/sqrt(1 + e^2)",
          {positive("A", {}, 1e-2, 1e6), positive("B", {}, 1e-2, 1e6), positive("E", {}, 1e-3, 10),
           exponent("alpha"), exponent("beta"), positive("L_0", {}, .1, 30)},
          "Rosenfeld et al. 2020, arXiv 1909.12673"),
      formula_law("pow4", "loss of data, shifted power", "L = c + (A*D + b)^-alpha",
                  {positive("c", {}, 1e-2, 4), positive("A", {}, 1e-12, 1e2),
                   FormulaConstant{"b", Transform::kLinear, -infinite, infinite, 0, 2, {}},
                   exponent("alpha")},
                  "Kolachina et al. 2012"),
      formula_law(
          "ilog2", "loss of data, inverse logarithm", "L = c + A/ln(D)",
          {FormulaConstant{"c", Transform::kLinear, -infinite, infinite, -2, 2, {}}, positive("A")},
          "Kolachina et al. 2012"),
  };
}

}  // namespace scalelaw
