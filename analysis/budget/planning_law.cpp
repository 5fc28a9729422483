#include "analysis/budget/planning_law.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "analysis/fitting/distributions.h"
#include "analysis/published/published_laws.h"

namespace scalelaw {
namespace {

// What (A N^-alpha + B D^-beta) must come to for this loss; 0 or less: never.
double inner_of(const PlanningLaw& law, double loss) {
  return loss > law.e ? std::pow(loss - law.e, 1 / law.outer) : 0;
}

TrainingPlan with_loss(const PlanningLaw& law, double n, double d) {
  return {n, d, law.loss(n, d)};
}

double tokens_of_rest(const PlanningLaw& law, double rest) {
  return std::pow(law.b / rest, 1 / law.beta);
}

// One of the five constants moved by `step`, the terms at the centre kept.
PlanningLaw moved(PlanningLaw law, int constant, double step) {
  const LogCentre& centre = law.uncertainty->centre;
  switch (constant) {
    case 0:
      law.alpha += step;
      law.a *= std::exp(step * centre.ln_n);
      break;
    case 1:
      law.beta += step;
      law.b *= std::exp(step * centre.ln_d);
      break;
    case 2:
      law.a *= std::exp(step);
      break;
    case 3:
      law.b *= std::exp(step);
      break;
    default:
      law.e *= std::exp(step);
  }
  return law;
}

PlanningLaw from_published(const PublishedSurface& surface) {
  PlanningLaw law;
  law.name = surface.name;
  law.words = surface.words;
  law.source = surface.source;
  law.e = surface.e;
  law.a = surface.a;
  law.alpha = surface.alpha;
  law.b = surface.b;
  law.beta = surface.beta;
  law.n_words = "all parameters";
  law.loss_of = "MassiveText, in Hoffmann et al.'s tokens";
  law.n_range = {surface.least_n, surface.most_n};
  law.d_range = {surface.least_d, surface.most_d};
  law.note = surface.note;
  if (const PublishedCovariance* known = published_covariance(surface.name)) {
    LawUncertainty uncertainty;
    uncertainty.centre = {known->ln_n_centre, known->ln_d_centre};
    std::size_t next = 0;
    for (std::size_t i = 0; i < LawUncertainty::kConstants; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        uncertainty.covariance[i][j] = uncertainty.covariance[j][i] = known->lower[next++];
      }
    }
    uncertainty.reach = normal_quantile(.975);
    uncertainty.words = known->words;
    law.uncertainty = uncertainty;
  }
  return law;
}

PlanningLaw from_published(const PublishedKaplanSurface& surface) {
  PlanningLaw law;
  law.name = surface.name;
  law.words = surface.words;
  law.source = surface.source;
  law.outer = surface.a_d;
  law.alpha = surface.a_n / surface.a_d;
  law.a = std::pow(surface.n_c, law.alpha);
  law.beta = 1;
  law.b = surface.d_c;
  law.n_words = "parameters without embeddings";
  law.loss_of = "WebText2, in Kaplan et al.'s tokens";
  law.n_range = {surface.least_n, surface.most_n};
  law.d_range = {surface.least_d, surface.most_d};
  law.note = surface.note;
  return law;
}

}  // namespace

double PlanningLaw::loss(double n, double d) const {
  return e + std::pow(a * std::pow(n, -alpha) + b * std::pow(d, -beta), outer);
}

double PlanningLaw::loss_without_limit_of_data(double n) const {
  return e + std::pow(a * std::pow(n, -alpha), outer);
}

std::vector<PlanningLaw> published_planning_laws() {
  std::vector<PlanningLaw> laws;
  for (const PublishedSurface& surface : published_surfaces()) {
    laws.push_back(from_published(surface));
  }
  laws.push_back(from_published(published_kaplan_surface()));
  return laws;
}

TrainingPlan plan_of_compute(const PlanningLaw& law, double flops) {
  const double sum = law.alpha + law.beta;
  const double g = std::pow(law.alpha * law.a / (law.beta * law.b), 1 / sum);
  const double n = g * std::pow(flops / 6, law.beta / sum);
  return with_loss(law, n, flops / (6 * n));
}

// Where a budget is spent best alpha A N^-alpha = beta B D^-beta.
TrainingPlan plan_of_size(const PlanningLaw& law, double n) {
  const double term = law.alpha / law.beta * law.a * std::pow(n, -law.alpha);
  return with_loss(law, n, tokens_of_rest(law, term));
}

TrainingPlan plan_of_tokens(const PlanningLaw& law, double d) {
  const double term = law.beta / law.alpha * law.b * std::pow(d, -law.beta);
  return with_loss(law, std::pow(law.a / term, 1 / law.alpha), d);
}

std::optional<TrainingPlan> plan_of_loss(const PlanningLaw& law, double loss) {
  const double inner = inner_of(law, loss);
  if (!(inner > 0)) return std::nullopt;
  const double of_size = inner * law.beta / (law.alpha + law.beta);
  const TrainingPlan plan = plan_of_size(law, std::pow(law.a / of_size, 1 / law.alpha));
  if (!std::isfinite(plan.flops())) return std::nullopt;
  return plan;
}

double lifetime_flops(const TrainingPlan& plan, double d_inference) {
  return 6 * plan.n * plan.d + 2 * plan.n * d_inference;
}

std::optional<TrainingPlan> plan_of_lifetime(const PlanningLaw& law, double loss,
                                             double d_inference) {
  const double inner = inner_of(law, loss);
  if (!(inner > 0) || !plan_of_loss(law, loss)) return std::nullopt;
  // Searched over the size's share of what the loss is above the floor, on a logit axis.
  const auto plan = [&](double logit) {
    const double share = 1 / (1 + std::exp(-logit));
    const double n = std::pow(law.a / (inner * share), 1 / law.alpha);
    return TrainingPlan{n, tokens_of_rest(law, inner / (1 + std::exp(logit))), loss};
  };
  const auto cost = [&](double logit) {
    return std::log(lifetime_flops(plan(logit), d_inference));
  };
  constexpr double kGolden = 0.61803398874989485;
  double low = -20, high = 20;
  double left = high - kGolden * (high - low), right = low + kGolden * (high - low);
  double cost_left = cost(left), cost_right = cost(right);
  while (high - low > 1e-9) {
    if (cost_left < cost_right) {
      high = right;
      right = left;
      cost_right = cost_left;
      left = high - kGolden * (high - low);
      cost_left = cost(left);
    } else {
      low = left;
      left = right;
      cost_left = cost_right;
      right = low + kGolden * (high - low);
      cost_right = cost(right);
    }
  }
  return plan((low + high) / 2);
}

namespace {

double worth(double once, double times, double scale) {
  return once * (1 + scale * (1 - std::exp(-(times - 1) / scale)));
}

}  // namespace

double worth_of_repeated(double unique, double epochs) {
  return worth(unique, epochs, published_repetition().of_data);
}

double loss_of_repeated(const PlanningLaw& law, double n, double unique, double epochs) {
  const double best_for_unique = std::min(plan_of_tokens(law, unique).n, n);
  const double n_worth =
      worth(best_for_unique, n / best_for_unique, published_repetition().of_size);
  return law.loss(n_worth, worth_of_repeated(unique, epochs));
}

RepeatedPlan plan_of_repeated(const PlanningLaw& law, double unique, double flops) {
  const TrainingPlan fresh = plan_of_compute(law, flops);
  if (fresh.d <= unique) return {fresh.n, fresh.d / unique, fresh.loss};
  constexpr int kSteps = 3000;  // a factor of 1.0023 each
  RepeatedPlan best;
  for (int step = 0; step <= kSteps; ++step) {
    const double epochs = std::pow(1000, static_cast<double>(step) / kSteps);
    const double n = flops / (6 * unique * epochs);
    const double loss = loss_of_repeated(law, n, unique, epochs);
    if (step == 0 || loss < best.loss) best = {n, epochs, loss};
  }
  return best;
}

std::optional<Interval> band(
    const PlanningLaw& law, const std::function<std::optional<double>(const PlanningLaw&)>& value) {
  if (!law.uncertainty) return std::nullopt;
  const LawUncertainty& known = *law.uncertainty;
  const auto ln_value = [&](const PlanningLaw& at) {
    const std::optional<double> found = value(at);
    return found && *found > 0 ? std::log(*found) : std::nan("");
  };
  constexpr double kShareOfError = 1e-3;  // far below it, and far above rounding
  std::array<double, LawUncertainty::kConstants> slope = {};
  for (std::size_t k = 0; k < slope.size(); ++k) {
    const double step = kShareOfError * std::sqrt(known.covariance[k][k]);
    if (step == 0) continue;
    const int constant = static_cast<int>(k);
    slope[k] =
        (ln_value(moved(law, constant, step)) - ln_value(moved(law, constant, -step))) / (2 * step);
  }
  double variance = 0;
  for (std::size_t i = 0; i < slope.size(); ++i) {
    for (std::size_t j = 0; j < slope.size(); ++j) {
      variance += slope[i] * known.covariance[i][j] * slope[j];
    }
  }
  const double centre = ln_value(law), reach = known.reach * std::sqrt(std::max(variance, 0.0));
  if (!std::isfinite(centre) || !std::isfinite(reach)) return std::nullopt;
  return Interval{std::exp(centre - reach), std::exp(centre + reach)};
}

Interval floor_band(const PlanningLaw& law) {
  return band(law, [](const PlanningLaw& at) { return at.e; }).value_or(Interval{law.e, law.e});
}

std::optional<LawUncertainty> gauss_newton_uncertainty(const FitData& data, const FitResult& best) {
  const Law& law = chinchilla_law();
  const bool floor = best.status != FitStatus::kAtBound;
  const int free = law.parameters() - (floor ? 0 : 1);
  const int df = static_cast<int>(data.rows()) - free;
  if (!has_curve(best.status) || df < 1) return std::nullopt;
  Eigen::MatrixXd information = Eigen::MatrixXd::Zero(free, free);
  Eigen::VectorXd gradient(law.parameters());
  double squares = 0;
  for (std::size_t i = 0; i < data.rows(); ++i) {
    const double r = data.ln_loss[i] - law.ln_loss(best.theta, data.scale[i], gradient.data());
    squares += data.weight[i] * r * r;
    information += data.weight[i] * gradient.head(free) * gradient.head(free).transpose();
  }
  const Eigen::LDLT<Eigen::MatrixXd> solver(information);
  if (solver.info() != Eigen::Success || !(solver.rcond() > 1e-14)) return std::nullopt;
  const Eigen::MatrixXd covariance =
      squares / df * solver.solve(Eigen::MatrixXd::Identity(free, free));
  LawUncertainty known;
  known.centre = data.centre;
  known.reach = student_t_quantile(.975, df);
  for (int i = 0; i < free; ++i) {
    for (int j = 0; j < free; ++j) {
      known.covariance[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] = covariance(i, j);
    }
  }
  return known;
}

}  // namespace scalelaw
