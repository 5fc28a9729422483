// How much the learning rate of each arm was tuned: what is tuned more looks better.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "analysis/run_table.h"

namespace scalelaw {

// The trials of one arm at one N and D. A rate's loss is the mean over its seeds of what the trials
// read (a sweep's are of the val split).
struct RateScan {
  std::string arm;
  double n = 0, d_tokens = 0;
  int trials = 0;             // that have ended
  std::vector<double> rates;  // tried, ascending
  double best = 0;            // of them; 0: all diverged
  bool at_edge = false;       // the best is a bound and no optimum: no worse rate beside it
};

// Of the trials that sweeps' records name and whose runs have ended, by arm in order of appearance,
// then N and D; trials of sweeps in a folder of runs count for their architecture. Paths as
// read_runs() takes them; what cannot be read tells nothing.
std::vector<RateScan> rate_scans(const std::vector<std::filesystem::path>& paths,
                                 const Selection& selection);

// What was tried for the arm: "24 trials at 3 sizes (3 to 5 rates each), the best at an edge at 1",
// or "no trials".
std::string tuning_text(const std::vector<RateScan>& scans, const std::string& arm);

// Both arms' budgets as a remark to their comparison.
std::string tuning_remark(const std::vector<RateScan>& scans, const std::string& a,
                          const std::string& b);

// Arms with unequal budgets or a best rate at an edge, as a warning; "": neither.
std::string tuning_warning(const std::vector<RateScan>& scans, const std::string& a,
                           const std::string& b);

}  // namespace scalelaw
