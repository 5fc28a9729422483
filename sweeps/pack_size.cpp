#include "sweeps/pack_size.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <vector>

namespace scalelaw {
namespace {

constexpr double kSlowerByMeasured = 1.05, kSlowerByAssumed = 1.25;

int64_t quotient_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// Replicas of the fullest pack where `runs` are spread evenly over 1, 2, 3, ... packs, each once,
// most first.
std::vector<int64_t> even_packs(int64_t runs, int64_t most_replicas) {
  std::vector<int64_t> replicas;
  int64_t packs = quotient_up(runs, most_replicas);
  while (packs <= runs) {
    replicas.push_back(quotient_up(runs, packs));
    if (replicas.back() == 1) break;
    packs = quotient_up(runs, replicas.back() - 1);  // the fewest that need fewer replicas
  }
  return replicas;
}

struct Candidate {
  Packing packing;
  double seconds = 0;  // until every run has made a step
};

bool is_computed_alike(const StepChoice& pack, const StepChoice& alone) {
  return pack.fits && pack.windows == alone.windows &&
         pack.recompute_blocks == alone.recompute_blocks;
}

}  // namespace

Packing choose_packing(const Throughput& device, const StepRequest& run,
                       const PackingLimits& limits) {
  StepRequest request = run;
  request.device = device.kind();
  request.replicas = 1;
  if (!device.step_seconds(request, 1) && device.is_measured()) {
    return choose_packing(Throughput::unmeasured(device.kind()), run, limits);
  }
  constexpr double kUnknown = std::numeric_limits<double>::infinity();
  const double memory = limits.memory_bytes > 0 ? limits.memory_bytes : kUnknown;
  const StepChoice alone = choose_step(request, memory);
  const int most_processes = std::min(limits.most_processes, device.most_processes());
  std::vector<Candidate> candidates;
  for (const int64_t replicas : even_packs(limits.runs, device.most_replicas())) {
    request.replicas = replicas;
    const int64_t packs = quotient_up(limits.runs, replicas);
    for (int processes = 1; processes <= std::min<int64_t>(most_processes, packs); ++processes) {
      if (!is_computed_alike(choose_step(request, memory / processes), alone)) break;
      const std::optional<double> seconds = device.step_seconds(request, processes);
      if (!seconds) break;
      const auto turns = static_cast<double>(quotient_up(packs, processes));
      candidates.push_back({{replicas, processes}, turns * *seconds});
    }
  }
  if (candidates.empty()) return {};
  double least = kUnknown;
  for (const Candidate& one : candidates) least = std::min(least, one.seconds);
  const double bound = least * (device.is_measured() ? kSlowerByMeasured : kSlowerByAssumed);
  Candidate best = {{std::numeric_limits<int64_t>::max(), 1}, kUnknown};
  for (const Candidate& one : candidates) {
    if (one.seconds > bound || one.packing.replicas > best.packing.replicas) continue;
    if (one.packing.replicas < best.packing.replicas || one.seconds <= best.seconds) best = one;
  }
  return best.packing;
}

}  // namespace scalelaw
