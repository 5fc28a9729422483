// The loss over two or more of size, data, steps and compute.
#include "analysis/laws/formula_constants.h"

namespace scalelaw {

std::vector<FormulaLaw> laws_of_size_and_data() {
  return {
      formula_law("kaplan_nd", "loss of size and data", "L = ((N_c/N)^(a_N/a_D) + D_c/D)^a_D",
                  {scale_of_column("N_c", 6.4e13), scale_of_column("D_c", 1.8e13),
                   exponent("a_N", .076), exponent("a_D", .103)},
                  "Kaplan et al. 2020, 1.5"),
      formula_law("kaplan_ns", "loss of size and steps", "L = (N_c/N)^a_N + (S_c/S)^a_S",
                  {scale_of_column("N_c", 6.5e13), positive("S_c", 2.1e3, 1, 1e6),
                   exponent("a_N", .077), exponent("a_S", .76)},
                  "Kaplan et al. 2020, 1.6 (S is S_min)"),
      formula_law("chinchilla", "loss of size and data", "L = E + A*N^-alpha + B*D^-beta",
                  {positive("E", 1.69), positive("A", 406.4), positive("B", 410.7),
                   exponent("alpha", .34), exponent("beta", .28)},
                  "Hoffmann et al. 2022, approach 3 (constants as printed, rounded)"),
      formula_law(
          "generalised", "loss of size and data, with an outer exponent",
          "L = E + (A*N^-alpha + B*D^-beta)^gamma",
          {positive("E", {}, .1, 4), positive("A", {}, 1e-2, 1e6), positive("B", {}, 1e-2, 1e6),
           exponent("alpha"), exponent("beta"), exponent("gamma")},
          "holds kaplan_nd (E = 0) and chinchilla (gamma = 1)"),
      formula_law("tied", "loss of compute and tokens per parameter, one exponent",
                  "M = D/N; L = E + (A*M^eta + B*M^-eta)*C^-eta",
                  {positive("E"), positive("A"), positive("B"), exponent("eta")},
                  "Gadre et al. 2024, arXiv 2403.08540"),
      formula_law("repeated_data", "loss of size and data of which U tokens are unique",
                  "U_D = min(U, D); D_eff = U_D + U_D*R_D*(1 - exp(-(D/U_D - 1)/R_D)); "
                  "L = E + A*N^-alpha + B*D_eff^-beta",
                  {positive("E", 1.87), positive("A", 521), positive("B", 1488),
                   exponent("alpha", .353), exponent("beta", .353), positive("R_D", 15.4, 1, 100)},
                  "Muennighoff et al. 2023, arXiv 2305.16264"),
      formula_law("repeated", "the same, with what parameters beyond the best size are worth",
                  "G = (alpha*A/(beta*B))^(1/(alpha + beta)); "
                  "U_D = min(U, D); U_N = min(N, G*(G*U_D)^(beta/alpha)); "
                  "N_eff = U_N + U_N*R_N*(1 - exp(-(N/U_N - 1)/R_N)); "
                  "D_eff = U_D + U_D*R_D*(1 - exp(-(D/U_D - 1)/R_D)); "
                  "L = E + A*N_eff^-alpha + B*D_eff^-beta",
                  {positive("E", 1.87, .1, 4), positive("A", 521, 1, 1e5),
                   positive("B", 1488, 1, 1e5), exponent("alpha", .353), exponent("beta", .353),
                   positive("R_D", 15.4, 1, 100), positive("R_N", 5.3, 1, 100)},
                  "Muennighoff et al. 2023, arXiv 2305.16264 (losses stopped early)"),
  };
}

}  // namespace scalelaw
