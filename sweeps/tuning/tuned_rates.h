// What a sweep's `tune` has found so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sweeps/tuning/rate_law.h"
#include "sweeps/tuning/rate_scan.h"

namespace scalelaw {

struct PlannedCell;

// A trial that has ended.
struct TrialEnd {
  bool left_out = false;  // by `exclude`: the scan does without this seed, or rate
  bool diverged = false;
  double loss_nats = 0;  // final, on the val split
};
// nullopt for one that has not.
using TrialEnds = std::function<std::optional<TrialEnd>(const PlannedCell&)>;

// The rates of one recipe.
struct TunedRecipe {
  std::vector<std::string> arms;   // that ask for it
  std::string model;               // "transformer 2 x 16"
  std::optional<double> n_params;  // non_embedding
  double train_tokens = 0;
  double file_rate = 0;
  std::vector<TriedRate> tried;  // ascending; those whose trials have all ended
  int64_t trials = 0, ended = 0;
  std::optional<RateChoice> choice;  // once all have
  bool lacks_rates = false;          // by `exclude`: fewer than three are left
  int64_t may_follow = 0;            // further trials that an edge may still ask for,
  std::size_t like = 0;              // each of the cost of this cell of the plan
};

struct ArmRateLaw {
  std::string arm;  // "" where the file has none
  std::optional<RateLaw> law;
  // Cells that take it outside of the scans' N and D, and how many times beyond them at most.
  int64_t beyond = 0;
  double furthest = 1;
};

// A law without an exponent of N, by which larger cells get their rates.
struct ThinRateLaw {
  std::string arm;
  int64_t sizes = 0;  // that are scanned
  double beyond = 1;  // the largest cell's N over the largest of those
};

struct TunedRates {
  std::vector<TunedRecipe> scans;                // in the file's order
  std::map<std::string, int64_t> trials_of_arm;  // every arm's
  std::vector<ArmRateLaw> laws;  // of arms whose scans have all ended, where the file asks for laws
  std::vector<ThinRateLaw> thin_laws;  // that are there, or will be
  bool reads_test_text = false;        // some trials, for want of a val split
};

inline int64_t may_follow(const TunedRates& tuned) {
  int64_t trials = 0;
  for (const TunedRecipe& scan : tuned.scans) trials += scan.may_follow;
  return trials;
}

}  // namespace scalelaw
