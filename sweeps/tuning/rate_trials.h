// One scan's trials: what has become of each rate's, by seed.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "sweeps/tuning/rate_scan.h"
#include "sweeps/tuning/tuned_rates.h"

namespace scalelaw {

class RateTrials {
 public:
  // nullopt: it has not ended.
  void add(double rate, int64_t seed, const std::optional<TrialEnd>& end);
  bool is_open() const { return is_open_; }  // some have not ended
  // Ascending, of those that have ended. Rates are compared over the seeds that all of them have,
  // and by their means; one without any is left out.
  std::vector<TriedRate> tried() const;

 private:
  using Ends = std::map<int64_t, TrialEnd>;
  std::map<double, Ends> ends_;
  bool is_open_ = false;
};

}  // namespace scalelaw
