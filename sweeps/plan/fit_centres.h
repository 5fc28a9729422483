// What a fit says of the budgets of isoflops that lie about it (`centre: {fit: FILE}`).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trainer/fit_file.h"

namespace scalelaw {

struct Plan;
struct SweepBlock;
struct SweepSpec;

// Of one budget of one block.
struct FittedCentre {
  std::string block;                 // "": the file has none
  std::string file;                  // with the fit, as the sweep names it
  double budget = 0;                 // FLOPs
  double n = 0;                      // N*, by the fit's count
  double level = 0;                  // of the interval
  std::optional<FitRange> interval;  // of N*; nullopt: the file does not say
  FitRange sizes;                    // N of the cells
  bool is_wider_than_sizes() const {
    return interval && interval->high * sizes.low > interval->low * sizes.high;
  }
};

inline constexpr double kFurthestBudget = 1000;  // times beyond what a fit's runs had

// By block and budget. ConfigError: a budget more than kFurthestBudget times beyond the fit's.
std::vector<FittedCentre> fitted_centres(const SweepSpec& spec, const Plan& plan);
// A line each, for a terminal.
std::string centres_text(const std::vector<FittedCentre>& centres);

// N by the fit's count; nullopt: not known of the architecture.
std::optional<double> size_by(const FittedLaw& law, const ModelShape& shape);

}  // namespace scalelaw
