// A law that plans are made by, L(N, D) = E + (A N^-alpha + B D^-beta)^g, and its arithmetic. C is
// 6 N D throughout. Both terms are under one outer exponent, so the best split of a budget is that
// of Hoffmann et al. 2022, eq. 4, whatever E and g:
//   N* = G (C / 6)^(beta / (alpha + beta)), G = (alpha A / (beta B))^(1 / (alpha + beta)).
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/fit.h"
#include "analysis/fitting/interval.h"
#include "trainer/fit_file.h"

namespace scalelaw {

// Of the constants (alpha, beta, ln A N^-alpha, ln B D^-beta, ln E), terms at the centre.
struct LawUncertainty {
  static constexpr int kConstants = 5;
  LogCentre centre;
  std::array<std::array<double, kConstants>, kConstants> covariance = {};
  double reach = 1.96;  // standard errors to an end of a 95% interval
  std::string words;    // how it was obtained, and how often such intervals held the truth
};

struct PlanningLaw {
  std::string name, words, source;
  double e = 0, a = 0, alpha = 0, b = 0, beta = 0, outer = 1;
  std::string n_words;  // what N counts
  std::string loss_of;  // whose text and tokenizer
  std::string loss_unit = "nats per token";
  FitRange n_range, d_range;  // of the runs behind it
  std::string note;           // what to know before it is believed; "": nothing
  std::optional<LawUncertainty> uncertainty;

  double loss(double n, double d) const;
  double loss_without_limit_of_data(double n) const;
};

// Every published one by name; `epoch` carries its covariance.
std::vector<PlanningLaw> published_planning_laws();

struct TrainingPlan {
  double n = 0, d = 0, loss = 0;
  double flops() const { return 6 * n * d; }
};

TrainingPlan plan_of_compute(const PlanningLaw& law, double flops);
TrainingPlan plan_of_size(const PlanningLaw& law, double n);    // the D at which N is the best size
TrainingPlan plan_of_tokens(const PlanningLaw& law, double d);  // the N that D is best spent on
// The cheapest one of this loss; nullopt: never reached, it is at or below the floor E.
std::optional<TrainingPlan> plan_of_loss(const PlanningLaw& law, double loss);

// Sardana et al. 2023 (arXiv 2401.00448): of this loss, what costs least of 6 N D + 2 N d_inference
// FLOPs. nullopt as plan_of_loss().
std::optional<TrainingPlan> plan_of_lifetime(const PlanningLaw& law, double loss,
                                             double d_inference);
double lifetime_flops(const TrainingPlan& plan, double d_inference);

// Muennighoff et al. 2023 (arXiv 2305.16264): `unique` tokens read `epochs` (1 or more) times are
// worth so many fresh ones, and a size beyond the best for them so much of a size.
double worth_of_repeated(double unique, double epochs);
double loss_of_repeated(const PlanningLaw& law, double n, double unique, double epochs);

// How often they are read best with this compute, from once to a thousand times; the law's best
// size where it asks for fewer tokens than there are.
struct RepeatedPlan {
  double n = 0, epochs = 1, loss = 0;  // epochs below 1: not all of them are read
};
RepeatedPlan plan_of_repeated(const PlanningLaw& law, double unique, double flops);

// The 95% interval of a quantity above 0, by the delta method in its log. nullopt: the law has no
// covariance, or the quantity is not there for constants nearby.
std::optional<Interval> band(const PlanningLaw& law,
                             const std::function<std::optional<double>(const PlanningLaw&)>& value);
// Of the floor; [E, E] where nothing is known of it.
Interval floor_band(const PlanningLaw& law);

// What was simulated of a fit's bands (docs/studies/coverage.md).
inline constexpr const char* kOwnFitCoverage =
    "of simulated ones of 16 to 64 runs 94% to 96% held the truth";
// Covariance of a least-squares fit of chinchilla_law() in ln L, by Gauss and Newton; nullopt: no
// degree of freedom is left, or constants that the data do not tell apart.
std::optional<LawUncertainty> gauss_newton_uncertainty(const FitData& data, const FitResult& best);

}  // namespace scalelaw
