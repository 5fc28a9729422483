#include "sweeps/tuning/rate_trials.h"

#include <algorithm>

namespace scalelaw {

void RateTrials::add(double rate, int64_t seed, const std::optional<TrialEnd>& end) {
  is_open_ = is_open_ || !end;
  if (end && !end->left_out) ends_[rate][seed] = *end;
}

std::vector<TriedRate> RateTrials::tried() const {
  std::vector<TriedRate> all;
  if (ends_.empty()) return all;
  std::vector<int64_t> seeds;
  for (const auto& of_seed : ends_.begin()->second) {
    const auto has = [&](const auto& of_rate) { return of_rate.second.contains(of_seed.first); };
    if (std::ranges::all_of(ends_, has)) seeds.push_back(of_seed.first);
  }
  if (seeds.empty()) return all;
  for (const auto& [rate, ends] : ends_) {
    TriedRate tried{rate, 0, false};
    for (const int64_t seed : seeds) {
      const TrialEnd& end = ends.at(seed);
      tried.diverged = tried.diverged || end.diverged;
      tried.loss_nats += end.loss_nats / static_cast<double>(seeds.size());
    }
    all.push_back(tried);
  }
  return all;
}

}  // namespace scalelaw
