// Forms that a law may have, as rivals: each behind the interface of analysis/laws/law.h, with the
// starts that its fit needs. Least squares in ln L.
//
//   of N      power        L = (N_c / N)^a                              Kaplan et al. 2020, 1.1
//             power_floor  L = E + A N^-alpha                           Cortes et al. 1993
//             logarithm    L = a - b ln N                               Kaplan et al. 2020, figure
//             23
//   of N, D   kaplan       L = [(N_c/N)^(a_N/a_D) + D_c/D]^a_D          Kaplan et al. 2020, 1.5
//             chinchilla   L = E + A N^-alpha + B D^-beta               Hoffmann et al. 2022
//             generalised  L = E + (A N^-alpha + B D^-beta)^g
//             rosenfeld    L = s u / sqrt(s^2 + u^2), u = E + A N^-alpha + B D^-beta: no loss is
//                          above s                                      Rosenfeld et al. 2019
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "analysis/fitting/fit.h"

namespace scalelaw {

struct RivalForm {
  const Law& law;
  // Of the form that this one holds as a special case, and that wins ties; "": none.
  std::string_view simpler;
  std::string_view id() const { return law.id(); }
};

enum class FormScope { kSize, kSizeAndData };  // of N; of N and D
std::span<const RivalForm> rival_forms(FormScope scope);

// Of every form of `scope`, in its order. Where the simpler form fits as well, that one's curve; so
// a richer form never fits worse.
std::vector<FitResult> fit_forms(FormScope scope, const FitData& data);

}  // namespace scalelaw
