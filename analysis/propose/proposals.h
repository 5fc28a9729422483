// What to run next: the proposals of every kind in one order, within what may be spent.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/arm_laws.h"
#include "analysis/propose/isoflop_proposals.h"

namespace scalelaw {

struct ProposeOptions {
  LawOptions law;               // its bootstrap is not used
  IsoFlopQuestion budgets;      // its c_count is of all FLOPs
  std::optional<double> flops;  // all proposals together
  int most = 10;                // proposals; seeds of one size are one
};

struct Proposals {
  std::string source;
  bool tabled = false;  // of tables: no run of them can be made from here
  std::string n_words, horizon;
  std::vector<Proposal> proposals;  // a cell of an arm once
  std::vector<std::string> notes, warnings;
  int beyond = 0;  // further ones that `flops` or `most` leave out
  double flops() const;
};

// Order: what is needed, then past the edges, the cheapest first; then by gain per FLOP, slopes in
// the order in which they were chosen. A run that several reasons ask for counts once, under the
// first; what no longer fits into `flops` is passed over. Slopes and seeds are of the selection's
// D (without one and without budgets, where no arm has three sizes at the D of most runs, of each
// size's own), budgets
// of all. ConfigError: what select_runs() refuses, --flops where D is not known.
Proposals propose(const RunTable& table, const ProposeOptions& options);

// The order, the merging and the limits alone.
void choose(std::vector<Proposal> all, const ProposeOptions& options, Proposals& out);

}  // namespace scalelaw
