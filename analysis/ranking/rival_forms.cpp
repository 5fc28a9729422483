#include "analysis/ranking/rival_forms.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "analysis/fitting/robust_refine.h"
#include "analysis/laws/law_by_jets.h"

namespace scalelaw {
namespace {

// theta = (share of L lost per unit of ln N at the centre, ln L there).
struct LogarithmFormula {
  static constexpr std::string_view kId = "logarithm";
  static constexpr std::string_view kFormula = "L = a - b ln N";
  static constexpr int kParameters = 2;
  static constexpr int kExponents = 1;
  static constexpr bool kFloor = false;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    using std::log;
    return theta[1] + log(1.0 - theta[0] * at.x);
  }
};

// theta = (a_N / a_D, a_D, ln of both terms at the centre).
struct KaplanFormula {
  static constexpr std::string_view kId = "kaplan";
  static constexpr std::string_view kFormula = "L = [(N_c/N)^(a_N/a_D) + D_c/D]^a_D";
  static constexpr int kParameters = 4;
  static constexpr int kExponents = 2;
  static constexpr bool kFloor = false;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    return theta[1] * log_add<T>(theta[2] - theta[0] * at.x, theta[3] - at.y);
  }
};

// theta = (alpha, beta, g, ln of both terms at the centre, ln E).
struct GeneralisedFormula {
  static constexpr std::string_view kId = "generalised";
  static constexpr std::string_view kFormula = "L = E + (A N^-alpha + B D^-beta)^g";
  static constexpr int kParameters = 6;
  static constexpr int kExponents = 3;
  static constexpr bool kFloor = true;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    const T inner = log_add<T>(theta[3] - theta[0] * at.x, theta[4] - theta[1] * at.y);
    return log_add<T>(theta[2] * inner, theta[5]);
  }
};

// theta = (alpha, beta, ln of both terms at the centre, ln s, ln E).
struct RosenfeldFormula {
  static constexpr std::string_view kId = "rosenfeld";
  static constexpr std::string_view kFormula =
      "L = s u / sqrt(s^2 + u^2), u = E + A N^-alpha + B D^-beta";
  static constexpr int kParameters = 6;
  static constexpr int kExponents = 2;
  static constexpr bool kFloor = true;
  template <typename T>
  static T ln_loss(const T* theta, CentredScale at) {
    const T terms = log_add<T>(theta[2] - theta[0] * at.x, theta[3] - theta[1] * at.y);
    const T u = log_add<T>(terms, theta[5]);
    return u - 0.5 * log_add<T>(T(0), 2.0 * (u - theta[4]));
  }
};

template <typename Formula>
class RivalLaw final : public LawByJets<Formula> {
 public:
  std::vector<LawParameter> published(std::span<const double> theta,
                                      LogCentre centre) const override;
};

template <>
std::vector<LawParameter> RivalLaw<LogarithmFormula>::published(std::span<const double> theta,
                                                                LogCentre centre) const {
  const double level = std::exp(theta[1]), b = level * theta[0];
  return {{"a", level + b * centre.ln_n}, {"b", b}};
}

template <>
std::vector<LawParameter> RivalLaw<KaplanFormula>::published(std::span<const double> theta,
                                                             LogCentre centre) const {
  return {{"a_N", theta[0] * theta[1]},
          {"a_D", theta[1]},
          {"N_c", std::exp(theta[2] / theta[0] + centre.ln_n)},
          {"D_c", std::exp(theta[3] + centre.ln_d)}};
}

template <>
std::vector<LawParameter> RivalLaw<GeneralisedFormula>::published(std::span<const double> theta,
                                                                  LogCentre centre) const {
  return {{"alpha", theta[0]},
          {"beta", theta[1]},
          {"g", theta[2]},
          {"A", std::exp(theta[3] + theta[0] * centre.ln_n)},
          {"B", std::exp(theta[4] + theta[1] * centre.ln_d)},
          {"E", std::exp(theta[5])}};
}

template <>
std::vector<LawParameter> RivalLaw<RosenfeldFormula>::published(std::span<const double> theta,
                                                                LogCentre centre) const {
  return {{"alpha", theta[0]},
          {"beta", theta[1]},
          {"A", std::exp(theta[2] + theta[0] * centre.ln_n)},
          {"B", std::exp(theta[3] + theta[1] * centre.ln_d)},
          {"s", std::exp(theta[4])},
          {"E", std::exp(theta[5])}};
}

const RivalLaw<LogarithmFormula> kLogarithm;
const RivalLaw<KaplanFormula> kKaplan;
const RivalLaw<GeneralisedFormula> kGeneralised;
const RivalLaw<RosenfeldFormula> kRosenfeld;

constexpr RefineOptions kInLnLoss{.huber_delta = kLeastSquares};
constexpr double kNoCeiling = 40;  // ln s that no loss comes near: s is not there

using Theta = std::vector<double>;

// A richer form's parameters at which it is the simpler one's curve.
Theta as_generalised(const Theta& chinchilla, double g) {
  return {chinchilla[0] / g, chinchilla[1] / g, g,
          chinchilla[2] / g, chinchilla[3] / g, chinchilla[4]};
}

Theta as_rosenfeld(const Theta& chinchilla, double ln_ceiling) {
  return {chinchilla[0], chinchilla[1], chinchilla[2], chinchilla[3], ln_ceiling, chinchilla[4]};
}

double half_squares(const Law& law, const FitData& data, const Theta& theta) {
  double sum = 0;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const double r = data.ln_loss[i] - law.ln_loss(theta, data.scale[i]);
    sum += 0.5 * data.weight[i] * r * r;
  }
  return sum;
}

void keep_better(FitResult& best, FitResult found) {
  const bool better = has_curve(found.status) && std::isfinite(found.objective) &&
                      (!has_curve(best.status) || found.objective < best.objective);
  if (better || best.theta.empty()) best = std::move(found);
}

// The simpler form's fit, then what is found from there and from elsewhere.
FitResult fit_richer(const Law& law, const FitData& data, const FitResult& simple,
                     const Theta& embedded, const std::vector<Theta>& starts) {
  FitResult best;
  if (data.distinct_scales() < law.parameters()) {
    best.why = std::to_string(data.distinct_scales()) + " distinct sizes for " +
               std::to_string(law.parameters()) + " parameters";
    return best;
  }
  if (!has_curve(simple.status)) return simple;
  best = simple;
  best.theta = embedded;
  best.objective = half_squares(law, data, embedded);
  for (const Theta& start : starts) keep_better(best, refine(law, data, start, kInLnLoss));
  return best;
}

FitResult fit_logarithm(const FitData& data, const FitResult& power) {
  if (!has_curve(power.status)) return power;
  double widest = 0;  // where the start must still have a loss
  for (const CentredScale& at : data.scale) widest = std::max(widest, at.x);
  return refine(kLogarithm, data, {std::min(power.theta[0], 0.5 / widest), power.theta[1]},
                kInLnLoss);
}

FitResult fit_kaplan(const FitData& data, const FitResult& chinchilla) {
  // Both terms under the outer exponent: inside they are 1 / a_D times as steep.
  FitResult best;
  for (const double outer : {0.1, 0.25}) {
    const Theta& c = chinchilla.theta;
    keep_better(best,
                refine(kKaplan, data, {c[0] / c[1], outer, c[2] / outer, c[3] / outer}, kInLnLoss));
    double mean = 0;
    for (const double ln_loss : data.ln_loss) mean += ln_loss / static_cast<double>(data.rows());
    const double term = mean / outer - std::log(2.0);
    keep_better(best, refine(kKaplan, data, {0.75, outer, term, term}, kInLnLoss));
  }
  return best;
}

}  // namespace

std::span<const RivalForm> rival_forms(FormScope scope) {
  static const std::array<RivalForm, 3> of_size = {{
      {power_law(), ""},
      {kLogarithm, ""},
      {power_law_with_floor(), "power"},
  }};
  static const std::array<RivalForm, 4> of_size_and_data = {{
      {kKaplan, ""},
      {chinchilla_law(), ""},
      {kGeneralised, "chinchilla"},
      {kRosenfeld, "chinchilla"},
  }};
  if (scope == FormScope::kSize) return of_size;
  return of_size_and_data;
}

std::vector<FitResult> fit_forms(FormScope scope, const FitData& data) {
  if (scope == FormScope::kSize) {
    const FitResult power = fit_robust(power_law(), data, kInLnLoss);
    return {power, fit_logarithm(data, power), fit_robust(power_law_with_floor(), data, kInLnLoss)};
  }
  const FitResult chinchilla = fit_robust(chinchilla_law(), data, kInLnLoss);
  if (!has_curve(chinchilla.status)) return {4, chinchilla};
  const Theta& c = chinchilla.theta;
  const double ceiling = *std::max_element(data.ln_loss.begin(), data.ln_loss.end());
  return {fit_kaplan(data, chinchilla), chinchilla,
          fit_richer(kGeneralised, data, chinchilla, as_generalised(c, 1),
                     {as_generalised(c, 0.9), as_generalised(c, 0.5)}),
          fit_richer(kRosenfeld, data, chinchilla, as_rosenfeld(c, kNoCeiling),
                     {as_rosenfeld(c, ceiling + 1)})};
}

}  // namespace scalelaw
