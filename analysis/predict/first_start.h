// When a run began.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "trainer/clock.h"
#include "trainer/run_record.h"

namespace scalelaw {

// Of the first attempt; "": none is known.
inline std::string first_start(const std::vector<Attempt>& attempts) {
  std::string first;
  for (const Attempt& attempt : attempts) {
    const std::string& at = attempt.provenance.started_at;
    if (is_utc_time(at) && (first.empty() || at < first)) first = at;
  }
  return first;
}

}  // namespace scalelaw
