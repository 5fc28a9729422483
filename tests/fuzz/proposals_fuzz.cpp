// A table of somebody else's runs, as `scalelaw propose` answers it.
#include "analysis/propose/proposals.h"

#include <cmath>

#include "analysis/measurements/tabled_runs.h"
#include "analysis/propose/proposals_text.h"
#include "tests/fuzz/fuzz_target.h"

namespace scalelaw {

void read_hostile(std::string_view bytes) {
  ProposeOptions options;
  // The first byte chooses what is asked of the rest.
  if (!bytes.empty() && bytes.front() == '-') {
    options.law.selection.own_tokens = true;
    bytes.remove_prefix(1);
  } else if (!bytes.empty() && bytes.front() == '$') {
    options.flops = 1e15;
    bytes.remove_prefix(1);
  }
  if (bytes.size() > 4096) return;  // laws of many arms take long, and read nothing more
  Measurements table;
  add_csv(table, "fuzz.csv", bytes);
  const Proposals found =
      propose(tabled_runs(std::move(table), {}, options.law.selection), options);
  require(std::ssize(found.proposals) <= options.most, "no more than was asked for");
  require(!options.flops || found.flops() <= *options.flops * (1 + 1e-12), "nor more FLOPs");
  for (const Proposal& p : found.proposals) {
    require(p.cell.n > 0 && std::isfinite(p.cell.n) && std::isfinite(p.flops()), "numbers");
    require(p.runs > 0 && !p.reason.empty(), "each is of runs, for a reason");
    require(!p.gain || (*p.gain > 0 && *p.gain <= 1), "a gain is a share");
  }
  to_json(found);
  to_markdown(document_of(found), "");
}

}  // namespace scalelaw
