// The final loss of one run that is not there yet, from runs of its arm: a value and an interval.
//
// The interval is of that run's own loss on the test text that the others were read on: it holds
// what the laws' constants leave open, noise between seeds and sizes, and what the text does to one
// size alone. What the text does to all runs alike moves the law and the new run together and is
// no part of it. It takes the law's form for granted as far as the run lies beyond the others.
#pragma once

#include <string>
#include <vector>

#include "analysis/run_table.h"
#include "analysis/size_cells.h"
#include "trainer/prediction.h"

namespace scalelaw {

struct NewRun {
  double n = 0, d = 0;
};

// With so few degrees of freedom an interval covers and says little.
inline constexpr int kWeakDf = 1;

struct RunPrediction {
  std::string missing;  // why there is none, in words; "": there is one
  double loss = 0, low = 0, high = 0;
  std::vector<PredictingLaw> laws;  // the first one gives the loss
  std::string why;                  // it does
  int df = 0;  // that the runs leave the law with all of its constants, a floor's among them
  // One degree of freedom at most, or no bound by a floor: other runs may say more.
  bool is_weak = false;
};

// By L(N), power law and power law with a floor, of runs on one ladder: of one D, or of one D / N.
// Where the runs tell a floor from none, the law with one gives value and interval; else the power
// law gives the value, and the interval reaches over both laws'. `runs` are of one arm and
// selected; `over` says which they are.
RunPrediction predict_on_ladder(const RunTable& runs, const Selection& selection,
                                const SeedNoise& seed, const NewRun& run, double level,
                                const std::string& over);

// By L(N, D) = E + A N^-alpha + B D^-beta of all runs of an arm: least squares in ln L on recipes'
// means. A floor that is not identified widens the interval by every floor that the runs allow.
RunPrediction predict_on_surface(const RunTable& runs, const Selection& selection,
                                 const SeedNoise& seed, const NewRun& run, double level);

}  // namespace scalelaw
