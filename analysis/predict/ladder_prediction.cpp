#include <algorithm>
#include <cmath>

#include "analysis/arm_laws.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/new_point.h"
#include "analysis/number_text.h"
#include "analysis/predict/predicting_law.h"
#include "analysis/predict/run_prediction.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Of ln L of one more run, in the unit of the cells' variances.
double variance_of_new_run(const std::vector<SizeCell>& cells, const CellNoise& noise) {
  double variance = noise.size_sd * noise.size_sd + noise.seed.sd_ln_loss * noise.seed.sd_ln_loss;
  for (const SizeCell& cell : cells) {
    variance += cell.evaluation_variance / static_cast<double>(cells.size());
  }
  return variance > 0 ? variance : 1;  // as weigh_cells: nothing scatters
}

// Of ln L: Student's prediction interval.
Interval interval_by_line(const PowerLawFit& fit, double n, double new_variance, double level) {
  const double x = std::log(n) - fit.line.centre_x;
  const double scale = fit.line.weighted_rss / fit.df;
  const double error =
      std::sqrt(scale * (1 / fit.line.sum_weight + x * x / fit.line.sum_xx + new_variance));
  const double reach = student_t_quantile(0.5 + 0.5 * level, fit.df) * error;
  return {fit.ln_loss_at(n) - reach, fit.ln_loss_at(n) + reach};
}

struct WithFloor {
  FloorFit fit;
  double ln_loss = 0;
  std::optional<Interval> interval;
};

WithFloor predict_with_floor(const std::vector<SizeCell>& cells, double n, double new_variance,
                             double level) {
  const Law& law = power_law_with_floor();
  WithFloor out{fit_floor(cells, level, {.replicates = 0}), 0, {}};
  if (!has_curve(out.fit.least_squares.status)) return out;
  const FitData data = data_of_means(cells);
  double sum_weight = 0;
  for (const SizeCell& cell : cells) sum_weight += 1 / cell.variance;
  const NewPoint point{data.centred(n, 1),
                       static_cast<double>(cells.size()) / (new_variance * sum_weight)};
  out.ln_loss = law.ln_loss(out.fit.least_squares.theta, point.at);
  out.interval = new_point_interval(law, data, out.fit.least_squares, point, level);
  return out;
}

PredictingLaw law_of(const PowerLawFit& fit, const std::string& over) {
  return predicting_law(power_law(), {{"a", fit.slope}, {"N_c", fit.n_c}}, over);
}

PredictingLaw law_of(const FloorFit& fit, const std::string& over) {
  const Law& law = power_law_with_floor();
  return predicting_law(law, law.published(fit.least_squares.theta, fit.centre), over);
}

std::string set_in_words(const ProfileInterval& floor) {
  return "E from " + (floor.low_bounded ? fixed(floor.low, 3) : "0") +
         (floor.high_bounded ? " to " + fixed(floor.high, 3) : " up to the smallest loss");
}

void take(RunPrediction& out, double ln_loss, const Interval& interval) {
  out.loss = std::exp(ln_loss);
  out.low = std::exp(interval.low);
  out.high = std::exp(interval.high);
}

}  // namespace

RunPrediction predict_on_ladder(const RunTable& runs, const Selection& selection,
                                const SeedNoise& seed, const NewRun& run, double level,
                                const std::string& over) {
  RunPrediction out;
  std::vector<std::vector<SizeCell>> arms = {size_cells(runs, runs.rows.front().arm, selection)};
  std::vector<SizeCell>& cells = arms.front();
  const std::vector<WindowSeries> windows = relative_windows(runs, cells, selection);
  set_evaluation_variances(windows, cells);
  const CellNoise noise = weigh_cells(arms, seed);
  const PowerLawFit line = fit_line_of(cells, windows, level);
  if (line.status != FitStatus::kConverged) {
    out.missing = line.why;
    return out;
  }
  const double new_variance = variance_of_new_run(cells, noise);
  const Interval by_line = interval_by_line(line, run.n, new_variance, level);
  take(out, line.ln_loss_at(run.n), by_line);
  out.laws = {law_of(line, over)};
  if (line.sizes < kFewestSizesForFloor) {
    out.why =
        std::to_string(line.sizes) +
        " sizes cannot tell a floor from none: the power law gives the loss, and the interval "
        "holds where there is no floor";
    return out;
  }
  const WithFloor with_floor = predict_with_floor(cells, run.n, new_variance, level);
  const ProfileInterval& floor = with_floor.fit.floor;
  if (!with_floor.interval) {
    const FitResult& fit = with_floor.fit.least_squares;
    out.missing = has_curve(fit.status)
                      ? "with a floor they bound the loss there to no interval"
                      : "whether they have a floor cannot be looked into (" + fit.why + ")";
    return out;
  }
  if (floor.low_bounded) {
    take(out, with_floor.ln_loss, *with_floor.interval);
    out.laws = {law_of(with_floor.fit, over)};
    out.why = "the runs tell a floor from none (" + set_in_words(floor) +
              "): the law with a floor gives the loss";
    return out;
  }
  take(out, line.ln_loss_at(run.n),
       {std::min(by_line.low, with_floor.interval->low),
        std::max(by_line.high, with_floor.interval->high)});
  out.laws.push_back(law_of(with_floor.fit, over));
  out.why = "the runs do not tell a floor from none (" + set_in_words(floor) +
            "): the power law, which has one constant less, gives the loss, and the interval "
            "covers both laws'";
  return out;
}

}  // namespace scalelaw
