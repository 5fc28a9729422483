// The loss over one of size, data, compute, steps and context.
#include "analysis/laws/formula_constants.h"

namespace scalelaw {
namespace {

constexpr double kPetaflopDay = 8.64e19;
constexpr const char* kKaplan = "Kaplan et al. 2020, ";
constexpr const char* kFloors = "Cortes et al. 1993; Hestness et al. 2017";

}  // namespace

std::vector<FormulaLaw> laws_of_one_scale() {
  std::vector<FormulaLaw> laws = {
      formula_law("power_n", "loss of size", "L = (N_c/N)^a",
                  {scale_of_column("N_c", 8.8e13), exponent("a", .076)},
                  std::string(kKaplan) + "1.1"),
      formula_law("power_d", "loss of data", "L = (D_c/D)^a",
                  {scale_of_column("D_c", 5.4e13), exponent("a", .095)},
                  std::string(kKaplan) + "1.2"),
      formula_law("power_c", "loss of compute", "L = (C_c/C)^a",
                  {scale_of_column("C_c", 3.1e8 * kPetaflopDay), exponent("a", .050)},
                  std::string(kKaplan) + "1.3 (C_min; 3.1e8 PF-days)"),
      formula_law("power_floor_n", "loss of size, with a floor", "L = E + A*N^-alpha",
                  {positive("E"), positive("A"), exponent("alpha")}, kFloors),
      formula_law("power_floor_d", "loss of data, with a floor", "L = E + B*D^-beta",
                  {positive("E"), positive("B"), exponent("beta")},
                  std::string(kFloors) + "; Kolachina et al. 2012, pow3"),
      formula_law("power_floor_c", "loss of compute, with a floor", "L = E + A*C^-gamma",
                  {positive("E"), positive("A"), exponent("gamma")},
                  "OpenAI 2023, GPT-4 technical report"),
      // For D far above D_0: E + (L_0 - E) (D/D_0)^-beta; far below, L_0.
      formula_law("hestness", "loss of data, three regions: best guess L_0, power law, floor E",
                  "L = E + (L_0 - E)/(1 + (D/D_0)^beta)",
                  {positive("E", {}, .1, 4), positive("L_0", {}, 1, 20),
                   positive("D_0", {}, 1e2, 1e13), exponent("beta")},
                  "Hestness et al. 2017, figure 6; the regions joined smoothly"),
      formula_law("curve_s", "a learning curve: loss of steps", "L = E + A*S^-alpha",
                  {positive("E"), positive("A"), exponent("alpha")},
                  std::string(kKaplan) + "1.6 at one N, steps after warm-up alone"),
      formula_law("context", "loss of the place in the context", "L = c + A*T^-p",
                  {positive("c"), positive("A"), exponent("p")},
                  std::string(kKaplan) + "figure 20"),
      formula_law("n_opt", "best size of a budget", "N = G*C^a",
                  {positive("G"), exponent("a", .73)},
                  std::string(kKaplan) + "6.1; Hoffmann et al. 2022 has .46 to .50"),
      formula_law("d_opt", "best data of a budget", "D = G*C^a",
                  {positive("G"), exponent("a", .27)},
                  std::string(kKaplan) + "6.1; Hoffmann et al. 2022 has .50 to .54"),
  };
  laws[4].other_id = "pow3";
  return laws;
}

}  // namespace scalelaw
