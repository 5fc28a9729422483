#include <cmath>

#include "analysis/fitting/new_point.h"
#include "analysis/fitting/profile.h"
#include "analysis/number_text.h"
#include "analysis/predict/measured_coverage.h"
#include "analysis/predict/predicting_law.h"
#include "analysis/predict/run_prediction.h"
#include "analysis/predict/surface_fit.h"

namespace scalelaw {
namespace {

std::string floor_in_words(const ProfileInterval& floor) {
  if (floor.identified()) {
    return "; its floor E is from " + fixed(floor.low, 3) + " to " + fixed(floor.high, 3);
  }
  return std::string("; its floor E is not identified (from ") +
         (floor.low_bounded ? fixed(floor.low, 3) : "0") +
         (floor.high_bounded ? " to " + fixed(floor.high, 3) : " up to the smallest loss") +
         "), and the interval goes through every floor that the runs allow";
}

}  // namespace

RunPrediction predict_on_surface(const RunTable& runs, const Selection& selection,
                                 const SeedNoise& seed, const NewRun& run, double level) {
  const Law& law = chinchilla_law();
  RunPrediction out;
  const SurfaceFit fit = fit_surface(runs, selection, seed);
  out.missing = fit.missing;
  if (!out.missing.empty()) return out;
  const std::string over = std::to_string(fit.recipes) + " runs that differ in N or D";
  if (!has_curve(fit.best.status)) {
    out.missing = "L(N, D) has no fit to its " + over + ": " + fit.best.why;
    return out;
  }
  const NewPoint point{fit.data.centred(run.n, run.d), fit.weight_of_new_run, fit.known_noise};
  const auto interval = new_point_interval(law, fit.data, fit.best, point, level);
  if (!interval || !std::isfinite(interval->low) || !std::isfinite(interval->high)) {
    out.missing = "L(N, D) of its " + over + " bounds the loss there to no interval";
    return out;
  }
  out.loss = std::exp(law.ln_loss(fit.best.theta, point.at));
  out.df = fit.recipes - law.parameters();
  out.is_weak = out.df <= kWeakDf;
  out.low = std::exp(interval->low);
  out.high = std::exp(interval->high);
  out.laws = {predicting_law(law, law.published(fit.best.theta, fit.data.centre), over)};
  out.why =
      "there are too few runs of its own D, or of its own D / N, for a law of N alone: the "
      "surface over all runs of the arm gives the loss" +
      std::string(out.df == 1 ? ", with one degree of freedom" : "") +
      floor_in_words(profile_floor(law, fit.data, fit.best, ProfileKind::kGaussian, 0, level)) +
      measured_coverage(fit.known_noise, level);
  return out;
}

}  // namespace scalelaw
