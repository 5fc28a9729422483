// Which form foretells larger runs best: each is fitted to the runs of less compute and asked for
// the losses of the next ones, up the ladder. What ranks them is the mean absolute error in ln L of
// what they had not seen; in-sample fit is not looked at.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/interval.h"
#include "analysis/ranking/rival_forms.h"

namespace scalelaw {

struct RankOptions {
  int rungs = 8;           // held out one after the other, at most
  double first_fit = 0.5;  // share of the runs, by compute, that the first rung is told from
  double level = 0.95;     // of a difference between two forms
  // By how much more, as a share, a form must err for certain than the richer one that holds it
  // before it is called worse.
  double margin = 0.05;
};

struct HeldOutRow {
  double n = 0, d = 0, loss = 0;
  int rung = 0;
};

// How many times form a's mean absolute error is form b's: the geometric mean over rungs, whose
// errors differ by decades, and Student's t over their logs.
struct FormDifference {
  std::size_t a = 0, b = 0;
  double ratio = 1;
  Interval interval;
};

struct RankedForm {
  const RivalForm* form = nullptr;
  std::string why_not;         // a fit that the rungs needed failed, in words; "": ranked
  std::vector<double> errors;  // ln L told minus ln L, one a held-out row
  double mean_error = 0;       // absolute, in ln L: .01 is a loss told 1% off
  bool worse = false;          // than another form, beyond doubt
};

struct Ranking {
  std::vector<HeldOutRow> held_out;
  std::vector<RankedForm> forms;  // as rival_forms() has them
  int rungs = 0;
  std::string missing;  // too few runs, in words; "": ranked
  // The form to take: of those that no other is told from to be better, the one that erred least,
  // or in its place the plainer one that it holds, if that is among them. nullopt: none is ranked.
  std::optional<std::size_t> best;
  std::vector<FormDifference> differences;  // every ranked form against every other
};

// Rows of one compute (6 N D, or N where scope says) are of one rung.
Ranking rank_forms(const std::vector<Observation>& observations, FormScope scope,
                   const RankOptions& options = {});

}  // namespace scalelaw
