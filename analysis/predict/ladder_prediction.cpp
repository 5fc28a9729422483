#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/arm_laws.h"
#include "analysis/block_error.h"
#include "analysis/fitting/distributions.h"
#include "analysis/fitting/new_point.h"
#include "analysis/number_text.h"
#include "analysis/predict/measured_coverage.h"
#include "analysis/predict/predicting_law.h"
#include "analysis/predict/run_prediction.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Of ln L of one more run, in the unit of the cells' variances.
struct NewRunNoise {
  double variance = 0;
  KnownNoise known;  // of it, between seeds and of the test text
};

NewRunNoise noise_of_new_run(const std::vector<SizeCell>& cells, const CellNoise& noise) {
  const double of_seeds = noise.seed.sd_ln_loss * noise.seed.sd_ln_loss;
  double of_text = 0;
  for (const SizeCell& cell : cells) {
    of_text += cell.evaluation_variance / static_cast<double>(cells.size());
  }
  std::vector<VariancePart> parts;
  if (of_seeds > 0) parts.push_back({of_seeds, static_cast<double>(noise.seed.df)});
  if (of_text > 0) parts.push_back({of_text, kBlockDf});
  NewRunNoise out;
  out.variance = noise.size_sd * noise.size_sd + of_seeds + of_text;
  if (!(out.variance > 0)) out.variance = 1;  // as weigh_cells: nothing scatters
  if (!parts.empty()) out.known = {of_seeds + of_text, satterthwaite_df(parts)};
  return out;
}

// By how much squares weighted by the cells' variances may rise.
double allowed_rise_of(double rss, double df, const NewRunNoise& noise, double level) {
  return allowed_rise(rss, df, {noise.known.variance / noise.variance, noise.known.df}, level);
}

// Of ln L: Student's prediction interval, its scale pooled with the known noise.
Interval interval_by_line(const PowerLawFit& fit, double n, const NewRunNoise& noise,
                          double level) {
  const double x = std::log(n) - fit.line.centre_x;
  const double variance = 1 / fit.line.sum_weight + x * x / fit.line.sum_xx + noise.variance;
  const double reach =
      std::sqrt(variance * allowed_rise_of(fit.line.weighted_rss, fit.df, noise, level));
  return {fit.ln_loss_at(n) - reach, fit.ln_loss_at(n) + reach};
}

struct WithFloor {
  FloorFit fit;
  double ln_loss = 0;
  Interval interval{-std::numeric_limits<double>::infinity(),
                    std::numeric_limits<double>::infinity()};
  bool told_from_none = false;  // E = 0 is outside its set, and the known noise does not explain it
};

WithFloor predict_with_floor(const std::vector<SizeCell>& cells, double n, const PowerLawFit& line,
                             const NewRunNoise& noise, double level) {
  const Law& law = power_law_with_floor();
  WithFloor out;
  out.fit = fit_floor(cells, level, {.replicates = 0});
  if (!has_curve(out.fit.least_squares.status)) return out;
  const FitData data = data_of_means(cells);
  double sum_weight = 0;
  for (const SizeCell& cell : cells) sum_weight += 1 / cell.variance;
  const double unit = static_cast<double>(cells.size()) / sum_weight;  // of the data's weights
  const NewPoint point{data.centred(n, 1), unit / noise.variance, noise.known};
  out.ln_loss = law.ln_loss(out.fit.least_squares.theta, point.at);
  const auto interval = new_point_interval(law, data, out.fit.least_squares, point, level);
  if (!interval) return out;
  out.interval = *interval;
  const double rss = 2 * out.fit.least_squares.objective / unit;
  const double df = line.df - 1;
  out.told_from_none = out.fit.floor.low_bounded && std::isfinite(interval->low) &&
                       std::isfinite(interval->high) &&
                       line.line.weighted_rss - rss > allowed_rise_of(rss, df, noise, level);
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

// `by_line` is the power law's alone. Laws with a floor fall with N and lie above the power law
// beyond the runs: no higher than at the largest size below.
RunPrediction without_bounds_of_a_floor(RunPrediction by_line, const std::vector<SizeCell>& cells,
                                        const PowerLawFit& line, const NewRun& run,
                                        const NewRunNoise& noise, double level) {
  double below = 0;
  for (const SizeCell& cell : cells) {
    if (cell.n <= run.n) below = std::max(below, cell.n);
  }
  if (below == 0) {
    by_line.missing = "with a floor they bound the loss there to no interval";
    return by_line;
  }
  const double high = std::exp(interval_by_line(line, below, noise, level).high);
  by_line.high = std::max(by_line.high, high);
  by_line.is_weak = true;
  by_line.why =
      "the runs do not tell a floor from none, and with one they bound the loss to no interval: "
      "the power law gives the loss, and the interval reaches up to what they allow at the largest "
      "size below";
  return by_line;
}

// `line` has converged.
RunPrediction by_line_or_floor(const std::vector<SizeCell>& cells, const PowerLawFit& line,
                               const NewRun& run, const NewRunNoise& noise, double level,
                               const std::string& over) {
  RunPrediction out;
  const Interval by_line = interval_by_line(line, run.n, noise, level);
  take(out, line.ln_loss_at(run.n), by_line);
  out.laws = {law_of(line, over)};
  out.df = line.sizes - power_law_with_floor().parameters();
  out.is_weak = out.df <= kWeakDf;
  if (line.sizes < kFewestSizesForFloor) {
    out.why =
        std::to_string(line.sizes) +
        " sizes cannot tell a floor from none: the power law gives the loss, and the interval "
        "holds where there is no floor";
    return out;
  }
  const WithFloor with_floor = predict_with_floor(cells, run.n, line, noise, level);
  const ProfileInterval& floor = with_floor.fit.floor;
  if (with_floor.told_from_none) {
    take(out, with_floor.ln_loss, with_floor.interval);
    out.laws = {law_of(with_floor.fit, over)};
    out.why = "the runs tell a floor from none (" + set_in_words(floor) +
              "): the law with a floor gives the loss";
    return out;
  }
  if (!std::isfinite(with_floor.interval.low) || !std::isfinite(with_floor.interval.high)) {
    return without_bounds_of_a_floor(out, cells, line, run, noise, level);
  }
  take(out, line.ln_loss_at(run.n),
       {std::min(by_line.low, with_floor.interval.low),
        std::max(by_line.high, with_floor.interval.high)});
  out.laws.push_back(law_of(with_floor.fit, over));
  out.why = std::string(floor.low_bounded ? "beside the known noise " : "") +
            "the runs do not tell a floor from none (" + set_in_words(floor) +
            "): the power law, which has one constant less, gives the loss, and the interval "
            "covers both laws'";
  return out;
}

}  // namespace

RunPrediction predict_on_ladder(const RunTable& runs, const Selection& selection,
                                const SeedNoise& seed, const NewRun& run, double level,
                                const std::string& over) {
  std::vector<std::vector<SizeCell>> arms = {size_cells(runs, runs.rows.front().arm, selection)};
  std::vector<SizeCell>& cells = arms.front();
  const std::vector<WindowSeries> windows = relative_windows(runs, cells, selection);
  set_evaluation_variances(windows, cells);
  const CellNoise noise = weigh_cells(arms, seed);
  const PowerLawFit line = fit_line_of(cells, windows, level);
  if (line.status != FitStatus::kConverged) {
    RunPrediction none;
    none.missing = line.why;
    return none;
  }
  const NewRunNoise new_run = noise_of_new_run(cells, noise);
  RunPrediction out = by_line_or_floor(cells, line, run, new_run, level, over);
  out.why += measured_coverage(new_run.known, level);
  return out;
}

}  // namespace scalelaw
