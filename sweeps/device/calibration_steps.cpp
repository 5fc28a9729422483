#include "sweeps/device/calibration_steps.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "sweeps/device/calibrated_device.h"
#include "sweeps/device/packing.h"
#include "sweeps/device/step_law.h"
#include "trainer/enum_text.h"
#include "trainer/number.h"
#include "trainer/step_choice.h"

namespace scalelaw {
namespace {

using Class = std::pair<std::string, Precision>;  // architecture

struct Candidate {
  MeasuredStep step;  // with the replicas of its largest pack
  double flops = 0;   // of one replica
  int64_t cells = 0;  // that make such steps
};

// What `scalelaw bench` has no option for.
ModelShape as_benched(ModelShape shape) {
  const ModelShape usual;
  shape.bias = usual.bias;
  shape.init = usual.init;
  shape.embedding_std = usual.embedding_std;
  return canonical(shape);
}

bool is_short(const Plan& plan, const StepRequest& request, const StepTerms& terms) {
  const double longest = bench_way(request.device).longest_step_seconds;
  if (request.device == DeviceKind::kCpu) {
    return terms.flops / plan.options.flops_per_second <= longest;
  }
  const auto assumed = Throughput::unmeasured(request.device).step_seconds(request, 1);
  return assumed && *assumed <= longest;
}

// With half the replicas, or fewer, where all are too many. nullopt: one alone is too long,
// computed in pieces, or not counted.
std::optional<Candidate> measurable(const Plan& plan, Candidate one) {
  StepRequest request;
  request.shape = one.step.shape;
  request.batch_windows = one.step.batch_tokens / one.step.shape.n_ctx;
  request.device = plan.options.workers.device;
  request.bf16_products = one.step.precision == Precision::kBFloat16;
  for (int64_t replicas = one.step.packing.replicas; replicas >= 1; replicas /= 2) {
    request.replicas = replicas;
    const std::optional<StepTerms> terms = terms_of(request);
    if (!terms) return std::nullopt;
    if (!is_short(plan, request, *terms)) continue;
    const StepChoice choice = choose_step(request, memory_a_run(plan.options));
    if (!choice.fits || choice.windows != request.batch_windows || choice.recompute_blocks) {
      continue;
    }
    one.step.packing.replicas = replicas;
    one.flops = terms->flops / static_cast<double>(replicas);
    return one;
  }
  return std::nullopt;
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

bool is_of_equal_batch(const MeasuredStep& a, const MeasuredStep& b) {
  return a.shape == b.shape && a.batch_tokens == b.batch_tokens;
}

void add_once(std::vector<MeasuredStep>& steps, const MeasuredStep& step) {
  const auto same = [&](const MeasuredStep& other) { return is_of_equal_batch(step, other); };
  if (steps.size() < kMostShapes && std::ranges::none_of(steps, same)) steps.push_back(step);
}

// In `sorted` by FLOPs, the median first.
std::vector<MeasuredStep> representatives(const Plan& plan, const std::vector<Candidate>& sorted) {
  const std::size_t middle = median(sorted), last = sorted.size() - 1;
  std::vector<MeasuredStep> steps;
  for (const std::size_t i : {middle, last, std::size_t{0}, (middle + last) / 2, middle / 2}) {
    add_once(steps, sorted[i].step);
  }
  const int64_t n_ctx = sorted[middle].step.shape.n_ctx;
  const int64_t windows = sorted[middle].step.batch_tokens / n_ctx;
  for (const int64_t other : {windows / 2, 2 * windows, windows / 4, 4 * windows}) {
    if (other < 1) continue;
    Candidate of_median = sorted[middle];
    of_median.step.batch_tokens = other * n_ctx;
    if (const auto one = measurable(plan, std::move(of_median))) add_once(steps, one->step);
  }
  return steps;
}

// The steps of packs in `at_once` processes, and what is measured beside them, by worth.
std::vector<MeasuredStep> with_those_alone(std::vector<MeasuredStep> packed, int at_once) {
  std::vector<MeasuredStep> beside;
  for (std::size_t i = 0; i < packed.size(); ++i) {
    const int64_t replicas = packed[i].packing.replicas;
    packed[i].packing.processes = at_once;
    const auto add = [&](Packing packing) {
      if (packing == packed[i].packing) return;
      beside.push_back(packed[i]);
      beside.back().packing = packing;
    };
    if (i == 0 || replicas > 1) add({1, 1});
    if (i == 0 && replicas > 1) add({replicas, 1});
  }
  if (beside.empty()) return packed;
  // A law needs four rows: the median alone before the last of four shapes.
  const auto fourth = static_cast<std::ptrdiff_t>(std::min<std::size_t>(packed.size(), 3));
  packed.insert(packed.begin() + fourth, beside.front());
  packed.insert(packed.end(), beside.begin() + 1, beside.end());
  return packed;
}

// How the cells of a class make their steps, and why none of a class is measured.
struct ClassSteps {
  std::vector<Candidate> asked;  // not all of them can be measured
  std::string why_not;
};

std::map<Class, ClassSteps> steps_of_cells(const Plan& plan,
                                           const std::vector<PlannedPack>& packs) {
  std::vector<int64_t> replicas(plan.cells.size(), 1);
  for (const PlannedPack& pack : packs) {
    for (const std::size_t cell : pack) replicas[cell] = static_cast<int64_t>(pack.size());
  }
  const DeviceKind device = plan.options.workers.device;
  const BenchWay way = bench_way(device);
  std::map<Class, ClassSteps> classes;
  for (std::size_t i = 0; i < plan.cells.size(); ++i) {
    const PlannedCell& cell = plan.cells[i];
    ClassSteps& of_class = classes[{cell.shape.arch, cell.config.train.precision}];
    const StepKind asked = cell.config.how.step;
    if (device == DeviceKind::kGpu && asked != StepKind::kAuto && asked != way.step) {
      of_class.why_not = "its runs ask for how.step: " + std::string(enum_text(asked)) +
                         ", and steps are timed as " + std::string(enum_text(way.step));
      continue;
    }
    Candidate one;
    one.step.shape = as_benched(cell.shape);
    one.step.batch_tokens = cell.config.train.batch_tokens;
    one.step.precision = cell.config.train.precision;
    const auto same = std::ranges::find_if(of_class.asked, [&](const Candidate& other) {
      return is_of_equal_batch(one.step, other.step);
    });
    Candidate& known = same != of_class.asked.end() ? *same : of_class.asked.emplace_back(one);
    known.step.packing.replicas = std::max(known.step.packing.replicas, replicas[i]);
    ++known.cells;
  }
  return classes;
}

std::string why_none(DeviceKind device) {
  const bool on_cpu = device == DeviceKind::kCpu;
  return "each step would take more than " + human(bench_way(device).longest_step_seconds) +
         " s at " + (on_cpu ? "--flops-per-second" : "rates that are assumed of a GPU") +
         ", or memory to be computed in pieces";
}

}  // namespace

CalibrationSteps steps_to_measure(const Plan& plan) {
  const Workers& workers = plan.options.workers;
  std::vector<PlannedPack> packs;
  int at_once = 1;  // on a device, in the stage that has most
  for (const Stage stage : kStages) {
    const std::vector<PlannedPack> more = packs_of(plan, stage);
    const std::size_t on_each = (more.size() + workers.gpus.size() - 1) / workers.gpus.size();
    at_once = std::max(at_once, std::min(workers.jobs, static_cast<int>(on_each)));
    packs.insert(packs.end(), more.begin(), more.end());
  }
  CalibrationSteps chosen;
  std::vector<std::vector<MeasuredStep>> of_classes;
  for (const auto& [key, cells] : steps_of_cells(plan, packs)) {
    std::vector<Candidate> known;
    for (const Candidate& one : cells.asked) {
      if (auto found = measurable(plan, one)) known.push_back(*std::move(found));
    }
    if (known.empty()) {
      const std::string why = cells.asked.empty() ? cells.why_not : why_none(workers.device);
      chosen.left_out.push_back(key.first + " in " + std::string(enum_text(key.second)) + ": " +
                                why);
      continue;
    }
    std::ranges::stable_sort(known, {}, &Candidate::flops);
    of_classes.push_back(with_those_alone(representatives(plan, known), at_once));
  }
  for (std::size_t turn = 0, classes_left = 1; classes_left > 0; ++turn) {
    classes_left = 0;
    for (const std::vector<MeasuredStep>& steps : of_classes) {
      if (turn >= steps.size()) continue;
      chosen.steps.push_back(steps[turn]);
      ++classes_left;
    }
  }
  return chosen;
}

}  // namespace scalelaw
