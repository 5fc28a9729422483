#include "sweeps/device/pack_size.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <limits>
#include <optional>
#include <queue>
#include <utility>
#include <vector>

namespace scalelaw {
namespace {

constexpr double kSlowerByMeasured = 1.05, kSlowerByAssumed = 1.25;
constexpr double kLeastGain = 1.05;  // of the time to the end, for which packs are divided

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

// Alike runs in packs.
struct InPacks {
  int64_t replicas = 1, packs = 1;
  double pack_seconds = 0;  // of one from start to end
};

// Packs of at most so many replicas, filled evenly.
InPacks in_packs(const Throughput& device, const AlikeRuns& alike, int64_t most_replicas,
                 double memory_bytes) {
  const PackingLimits limits = {most_replicas, /*most_processes=*/1, memory_bytes};
  const Packing packing = choose_packing(device, alike.run, limits);
  InPacks result;
  result.packs = quotient_up(alike.runs, packing.replicas);
  result.replicas = quotient_up(alike.runs, result.packs);
  return result;
}

// Some packs on all devices, and how long they take there.
struct Division {
  std::vector<InPacks> groups;
  int64_t packs = 0;        // others with them
  int64_t places = 1;       // that take one pack after another
  double even_seconds = 0;  // of all groups, shared evenly by the places that are taken
};

Division timed(const Throughput& device, const std::vector<AlikeRuns>& all,
               const PackingPlaces& places, std::vector<InPacks> groups) {
  Division result{std::move(groups), places.other_packs};
  for (const InPacks& group : result.groups) result.packs += group.packs;
  const int64_t most = std::min<int64_t>(places.most_processes, device.most_processes());
  const int64_t beside =
      std::clamp<int64_t>(quotient_up(result.packs, places.devices), 1, std::max<int64_t>(most, 1));
  result.places = places.devices * beside;
  for (std::size_t i = 0; i < all.size(); ++i) {
    InPacks& group = result.groups[i];
    StepRequest request = all[i].run;
    request.device = device.kind();
    request.replicas = group.replicas;
    std::optional<double> step = device.step_seconds(request, static_cast<int>(beside));
    if (!step) step = Throughput::unmeasured(device.kind()).step_seconds(request, 1);
    group.pack_seconds = step.value_or(0) * static_cast<double>(all[i].steps);
    result.even_seconds +=
        static_cast<double>(group.packs) * group.pack_seconds / static_cast<double>(result.places);
  }
  return result;
}

// Until all are done: the longest start first, each where a place is free first. Of many packs an
// even share is near enough.
double end_seconds(const Division& division) {
  constexpr int64_t kManyAPlace = 4, kMany = 4096;
  if (division.packs > std::min(kManyAPlace * division.places, kMany)) {
    double longest = 0;
    for (const InPacks& group : division.groups) longest = std::max(longest, group.pack_seconds);
    return std::max(longest, division.even_seconds);
  }
  std::vector<double> packs;
  for (const InPacks& group : division.groups) {
    packs.insert(packs.end(), static_cast<std::size_t>(group.packs), group.pack_seconds);
  }
  std::ranges::sort(packs, std::greater<>());
  std::priority_queue<double, std::vector<double>, std::greater<>> free_at;
  for (int64_t place = 0; place < std::min(division.places, division.packs); ++place)
    free_at.push(0);
  double end = 0;
  for (const double seconds : packs) {
    const double ends = free_at.top() + seconds;
    free_at.pop();
    free_at.push(ends);
    end = std::max(end, ends);
  }
  return end;
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

std::vector<int64_t> choose_replicas(const Throughput& device, const std::vector<AlikeRuns>& all,
                                     const PackingPlaces& places) {
  std::vector<InPacks> whole;
  for (const AlikeRuns& alike : all) {
    whole.push_back(in_packs(device, alike, alike.most_replicas, places.memory_bytes));
  }
  Division chosen = timed(device, all, places, std::move(whole));
  // With the packs that take longest divided; nullopt where those are single runs.
  const auto divided = [&](const Division& from, bool is_for_idle) -> std::optional<Division> {
    const auto time_to_gain = [&](const InPacks& one) {
      return is_for_idle && one.replicas == 1 ? -1 : one.pack_seconds;
    };
    const auto longest = std::ranges::max_element(from.groups, {}, time_to_gain);
    if (longest == from.groups.end() || longest->replicas == 1) return std::nullopt;
    const auto which = static_cast<std::size_t>(longest - from.groups.begin());
    std::vector<InPacks> groups = from.groups;
    groups[which] = in_packs(device, all[which], longest->replicas - 1, places.memory_bytes);
    return timed(device, all, places, std::move(groups));
  };
  while (chosen.packs < places.devices) {
    std::optional<Division> none_idle = divided(chosen, /*is_for_idle=*/true);
    if (!none_idle) break;
    chosen = std::move(*none_idle);
  }
  // Several that take equally long are divided before the end comes nearer. Of others it is not
  // known how long they still take.
  std::optional<Division> ahead = chosen;
  while (places.other_packs == 0) {
    ahead = divided(*ahead, /*is_for_idle=*/false);
    if (!ahead || kLeastGain * ahead->even_seconds >= end_seconds(chosen)) break;
    if (kLeastGain * end_seconds(*ahead) < end_seconds(chosen)) chosen = *ahead;
  }
  std::vector<int64_t> replicas;
  for (const InPacks& one : chosen.groups) replicas.push_back(one.replicas);
  return replicas;
}

}  // namespace scalelaw
