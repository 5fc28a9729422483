// A sweep's `tune`: which trials are run, and the rate that each cell then takes.
//
// The cells of one recipe (all but rate and seeds) that the condition holds of share one scan: the
// file's rate times each factor, with seeds of its own, read on the train set's val split. Its best
// rate is theirs; the other cells of an arm take the law of the arm's scans. What is chosen follows
// from the file and the trials' results alone, so that no note of it need be kept.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sweeps/language/cell_expressions.h"
#include "sweeps/language/sweep_spec.h"
#include "sweeps/tuning/tuned_rates.h"
#include "trainer/run_identity.h"

namespace scalelaw {

class RateTuner {
 public:
  // Both outlive it.
  RateTuner(const RateTuning& tune, DataSetHeaders& data, ExpressionCache& expressions)
      : tune_(tune), data_(data), expressions_(expressions) {}

  // Every cell, evaluated, in the sweep's order. ConfigError and KeyError of its configuration, of
  // the condition, and of a law for an architecture that has no N.
  void note(const SweepPoint& cell);

  struct Trial {
    std::size_t cell = 0;  // of the plan's
    std::optional<TrialEnd> end;
  };
  // `run` plans a trial and says what has become of it. ConfigError where the condition holds of no
  // cell.
  using Run = std::function<Trial(SweepPoint trial)>;
  void scan(const Run& run);

  struct Settled {
    std::string waits_for = {};  // in words; "": the rate is known
    bool needs_hand = false;     // nothing that is to come will make it known
    bool by_trials = true;       // tell it, or have told it
  };
  // Gives the `index`th cell that was noted its rate.
  Settled settle(std::size_t index, FlatConfig& cell) const;
  bool is_scanned(std::size_t index) const { return cells_[index].scan >= 0; }

  TunedRates take() { return std::move(found_); }

 private:
  struct Cell {
    std::string arm;
    int scan = -1;  // of found_.scans; -1: not scanned
    double file_rate = 0;
    double n_params = 0, train_tokens = 0;
  };
  void scan_one(TunedRecipe& scan, const SweepPoint& like, const Run& run);
  SweepPoint trial_of(const SweepPoint& like, double rate, int64_t seed) const;
  bool read_validation(FlatConfig& config) const;  // false: there is no such split
  void fit_laws();
  void note_thin_laws();
  void note_beyond(ArmRateLaw& of_arm) const;
  // What tuning cannot do right: KeyError.
  void check(const SweepPoint& point, const RunConfig& config, const Cell& cell) const;

  const RateTuning& tune_;
  DataSetHeaders& data_;
  ExpressionCache& expressions_;
  std::vector<Cell> cells_;
  std::vector<SweepPoint> first_of_;    // each scan's first cell
  std::map<std::string, int> scan_of_;  // recipe -> scan; -1: is not scanned
  std::map<std::string, std::vector<int>> scans_of_arm_;
  TunedRates found_;
};

}  // namespace scalelaw
