#include "sweeps/language/named_laws.h"

#include <algorithm>
#include <cmath>

namespace scalelaw {
namespace {

constexpr double kPetaflopDay = 8.64e19;  // FLOPs

// Kaplan et al. 2020, D.6.
double kaplan_lr(double n) {
  return 0.003239 - 0.0001395 * std::log(n);
}

// Kaplan et al. 2020, table 6: the empirical fit, C in PF-days.
double kaplan_n(double c) {
  return 1.3e9 * std::pow(c / kPetaflopDay, 0.73);
}

// Hoffmann et al. 2022, approach 3, eq. 4, with the unrounded exponents: the printed ones, .34 and
// .28, come to another exponent of C.
double chinchilla_n(double c) {
  constexpr double kA = 406.4, kB = 410.7, kAlpha = 0.3392, kBeta = 0.2849;
  const double g = std::pow(kAlpha * kA / (kBeta * kB), 1 / (kAlpha + kBeta));
  return g * std::pow(c / 6, kBeta / (kAlpha + kBeta));
}

double step_law_lr(double n, double d) {
  return 1.79 * std::pow(n, -0.713) * std::pow(d, 0.307);
}

double step_law_batch(double d) {
  return 0.58 * std::pow(d, 0.571);
}

constexpr FittedRange kKaplanN = {768, 1.5e9}, kKaplanD = {22e6, 23e9};
constexpr FittedRange kChinchillaN = {70e6, 16e9}, kChinchillaD = {5e9, 500e9};
constexpr FittedRange kStepLawN = {6e7, 1.1e9}, kStepLawD = {2e9, 1e11};
constexpr std::string_view kKaplan = "Kaplan et al. 2020", kChinchilla = "Hoffmann et al. 2022",
                           kStepLaw = "Li et al. 2025 (Step Law)";
constexpr NCount kWithout = NCount::kNonEmbedding, kAll = NCount::kTotal;

}  // namespace

const std::vector<NamedLaw>& named_laws() {
  static const std::vector<NamedLaw> laws = {
      {"kaplan_lr",
       "kaplan_lr(N)",
       "0.003239 - 0.0001395 ln N",
       kKaplan,
       kWithout,
       kKaplanN,
       {},
       kaplan_lr,
       nullptr},
      {"kaplan_n", "kaplan_n(C)", "1.3e9 (C / 8.64e19)^0.73", kKaplan, kWithout, kKaplanN, kKaplanD,
       kaplan_n, nullptr},
      {"chinchilla_n", "chinchilla_n(C)", "G (C / 6)^0.456", kChinchilla, kAll, kChinchillaN,
       kChinchillaD, chinchilla_n, nullptr},
      {"step_law_lr", "step_law_lr(N, D)", "1.79 N^-0.713 D^0.307", kStepLaw, kWithout, kStepLawN,
       kStepLawD, nullptr, step_law_lr},
      {"step_law_batch",
       "step_law_batch(D)",
       "0.58 D^0.571 tokens",
       kStepLaw,
       kWithout,
       {},
       kStepLawD,
       step_law_batch,
       nullptr},
  };
  return laws;
}

const NamedLaw* find_named_law(std::string_view function) {
  const auto found = std::ranges::find(named_laws(), function, &NamedLaw::function);
  return found == named_laws().end() ? nullptr : &*found;
}

}  // namespace scalelaw
