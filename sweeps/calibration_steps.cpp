#include "sweeps/calibration_steps.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sweeps/step_law.h"
#include "trainer/enum_text.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

using Class = std::pair<std::string, Precision>;  // architecture

struct Candidate {
  MeasuredStep step;
  double flops = 0;
  int64_t cells = 1;  // that make such steps
};

// What `scalelaw bench` has no option for.
ModelShape as_benched(ModelShape shape) {
  const ModelShape usual;
  shape.bias = usual.bias;
  shape.init = usual.init;
  shape.embedding_std = usual.embedding_std;
  return canonical(shape);
}

// nullopt: the step is too long, computed in pieces, or not counted.
std::optional<Candidate> candidate(const Plan& plan, const ModelShape& shape, Precision precision,
                                   int64_t batch_windows) {
  StepRequest request;
  request.shape = shape;
  request.batch_windows = batch_windows;
  request.bf16_products = precision == Precision::kBFloat16;
  const std::optional<StepTerms> terms = terms_of(request);
  if (!terms || terms->flops / plan.options.flops_per_second > kLongestStepSeconds) {
    return std::nullopt;
  }
  const StepChoice choice = choose_step(request, memory_a_run(plan.options));
  if (!choice.fits || choice.windows != batch_windows || choice.recompute_blocks) {
    return std::nullopt;
  }
  Candidate one;
  one.step.shape = shape;
  one.step.batch_tokens = batch_windows * shape.n_ctx;
  one.step.precision = precision;
  one.flops = terms->flops;
  return one;
}

std::size_t median(const std::vector<Candidate>& sorted) {
  int64_t cells = 0, below = 0;
  for (const Candidate& one : sorted) cells += one.cells;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    below += sorted[i].cells;
    if (2 * below >= cells) return i;
  }
  return 0;
}

void add_once(std::vector<MeasuredStep>& steps, const MeasuredStep& step) {
  const auto same = [&](const MeasuredStep& other) {
    return other.shape == step.shape && other.batch_tokens == step.batch_tokens;
  };
  if (steps.size() < kMostShapes && std::ranges::none_of(steps, same)) steps.push_back(step);
}

// In `sorted` by FLOPs, the median first.
std::vector<MeasuredStep> representatives(const Plan& plan, const std::vector<Candidate>& sorted) {
  const std::size_t middle = median(sorted), last = sorted.size() - 1;
  std::vector<MeasuredStep> steps;
  for (const std::size_t i : {middle, last, std::size_t{0}, (middle + last) / 2, middle / 2}) {
    add_once(steps, sorted[i].step);
  }
  const MeasuredStep of_median = sorted[middle].step;
  const int64_t windows = of_median.batch_tokens / of_median.shape.n_ctx;
  for (const int64_t other : {windows / 2, 2 * windows, windows / 4, 4 * windows}) {
    if (other < 1) continue;
    const auto one = candidate(plan, of_median.shape, of_median.precision, other);
    if (one) add_once(steps, one->step);
  }
  return steps;
}

}  // namespace

CalibrationSteps steps_to_measure(const Plan& plan) {
  std::map<Class, std::vector<Candidate>> classes;
  for (const PlannedCell& cell : plan.cells) {
    const Precision precision = cell.config.train.precision;
    std::vector<Candidate>& known = classes[{cell.shape.arch, precision}];
    const ModelShape shape = as_benched(cell.shape);
    const int64_t batch_tokens = cell.config.train.batch_tokens;
    const auto same = std::ranges::find_if(known, [&](const Candidate& one) {
      return one.step.shape == shape && one.step.batch_tokens == batch_tokens;
    });
    if (same != known.end()) {
      ++same->cells;
    } else if (const auto one = candidate(plan, shape, precision, batch_tokens / shape.n_ctx)) {
      known.push_back(*one);
    }
  }
  const int at_once =
      static_cast<int>(std::min<std::size_t>(plan.options.workers.processes(), plan.cells.size()));
  CalibrationSteps chosen;
  std::vector<std::vector<MeasuredStep>> of_classes;
  for (auto& [key, known] : classes) {
    if (known.empty()) {
      chosen.left_out.push_back(key.first + " in " + std::string(enum_text(key.second)));
      continue;
    }
    std::ranges::stable_sort(known, {}, &Candidate::flops);
    std::vector<MeasuredStep> steps = representatives(plan, known);
    for (MeasuredStep& step : steps) step.packing = {1, at_once};
    MeasuredStep alone = steps.front();
    alone.packing = {1, 1};
    // A law needs four rows: before the last of four shapes.
    if (at_once > 1) {
      steps.insert(
          steps.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(steps.size(), 3)),
          alone);
    }
    of_classes.push_back(std::move(steps));
  }
  for (std::size_t turn = 0; turn <= kMostShapes; ++turn) {
    for (const std::vector<MeasuredStep>& steps : of_classes) {
      if (turn < steps.size()) chosen.steps.push_back(steps[turn]);
    }
  }
  return chosen;
}

}  // namespace scalelaw
