// A run, or several that differ in seeds, that would tell more, and what of.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/propose/arm_settings.h"

namespace scalelaw {

// What it is for; in the order in which they are proposed.
enum class ProposalKind {
  kNeeded,  // without it no law of the arm stands, or no noise is known
  kEdge,    // past the end of a budget whose best size is its first or last
  kSlope,   // narrows the interval of an arm's slope
  kFill,    // narrows the interval of a budget's best size
  kSeeds,   // tells two arms apart at one size
};
std::string_view name(ProposalKind kind);  // "needed", "edge", ...

struct Proposal {
  ProposalKind kind = ProposalKind::kSlope;
  std::string arm;
  ProposedCell cell;
  int runs = 1;  // that differ in seeds
  // Share by which half the width of the interval named in `reason` falls, at the noise seen so
  // far; nullopt: there is no interval yet.
  std::optional<double> gain;
  std::string reason;
  int together = 0;  // proposals after this one without which it answers nothing
  double flops() const { return runs * cell.flops; }
};

struct ProposalList {
  std::vector<Proposal> proposals;  // in order of preference within their kind
  std::vector<std::string> notes;   // sentences: what more runs of this kind cannot tell
};

}  // namespace scalelaw
