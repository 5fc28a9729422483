#include "analysis/propose/proposals.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "analysis/compare.h"
#include "analysis/number_text.h"
#include "analysis/propose/seed_proposals.h"
#include "analysis/propose/slope_proposals.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::vector<const RunRow*> rows_of(const RunTable& table, const std::string& arm, NCount n_count) {
  std::vector<const RunRow*> rows;
  for (const RunRow& row : table.rows) {
    if (row.arm == arm && row.n(n_count) > 0) rows.push_back(&row);
  }
  return rows;
}

void append(ProposalList from, std::vector<Proposal>& all, Proposals& out) {
  std::ranges::move(from.proposals, std::back_inserter(all));
  std::ranges::move(from.notes, std::back_inserter(out.notes));
}

// 0: needed; 1: past an edge; 2: what narrows an interval.
int group_of(const Proposal& p) {
  if (p.kind == ProposalKind::kNeeded) return 0;
  return p.kind == ProposalKind::kEdge ? 1 : 2;
}

double cost_of(const Proposal& p) {
  return p.flops() > 0 ? p.flops() : p.runs * p.cell.n;
}

// One or several proposals that are worth something together.
struct Ranked {
  std::vector<Proposal> proposals;
  double rate = 0;
};

std::vector<Ranked> in_order(std::vector<Proposal> all) {
  std::vector<Ranked> ranked;
  std::map<std::string, double> last;  // of an arm's slope: the order of the picks stays
  for (std::size_t i = 0; i < all.size();) {
    Ranked question;
    double cost = 0;
    for (const std::size_t end = i + 1 + static_cast<std::size_t>(all[i].together); i < end; ++i) {
      cost += cost_of(all[i]);
      question.proposals.push_back(std::move(all[i]));
    }
    const Proposal& p = question.proposals.front();
    question.rate = p.gain.value_or(1) / cost;
    if (p.kind == ProposalKind::kSlope) {
      question.rate = std::min(question.rate, last.try_emplace(p.arm, HUGE_VAL).first->second);
      last[p.arm] = question.rate;
    }
    ranked.push_back(std::move(question));
  }
  std::ranges::stable_sort(ranked, [](const Ranked& a, const Ranked& b) {
    const int of_a = group_of(a.proposals.front()), of_b = group_of(b.proposals.front());
    return of_a != of_b ? of_a < of_b : a.rate > b.rate;
  });
  return ranked;
}

Proposal* find_cell(std::vector<Proposal>& proposals, const Proposal& p) {
  const auto found = std::ranges::find_if(proposals, [&](const Proposal& other) {
    return other.arm == p.arm && std::abs(other.cell.n / p.cell.n - 1) < 1e-6 &&
           std::abs(other.cell.d_tokens - p.cell.d_tokens) <= 0.001 * p.cell.d_tokens;
  });
  return found == proposals.end() ? nullptr : &*found;
}

// Picks of a slope are a run each; all others are all that their question needs.
bool adds_up(const Proposal& known, const Proposal& p) {
  return p.kind == ProposalKind::kSlope && known.kind == p.kind;
}

int further_runs(const Proposal* known, const Proposal& p) {
  return known == nullptr || adds_up(*known, p) ? p.runs : std::max(0, p.runs - known->runs);
}

void take(Proposal p, std::vector<Proposal>& proposals) {
  Proposal* known = find_cell(proposals, p);
  if (known == nullptr) return proposals.push_back(std::move(p));
  known->runs += further_runs(known, p);
  if (!adds_up(*known, p)) {
    if (known->reason.find(p.reason) == std::string::npos) known->reason += "; " + p.reason;
  } else if (known->gain && p.gain) {
    known->gain = 1 - (1 - *known->gain) * (1 - *p.gain);
  }
}

void remark_undecided(const Comparison& c, Proposals& out) {
  if (c.status != FitStatus::kConverged || c.p_holm < 1 - c.level) return;
  out.notes.push_back(
      "The slopes of " + c.arm_a + " and " + c.arm_b + " differ by " +
      fixed(std::abs(c.difference), 3) + " " + interval_text(c.interval.low, c.interval.high, 3) +
      ", undecided; what these runs find in 80% of studies is " + fixed(c.detectable, 3) +
      ". Proposals for either slope narrow that interval too.");
}

// Where sizes were each trained for a D of their own, no D of most runs makes a line.
void find_horizon(const RunTable& table, Selection& selection) {
  if (selection.train_tokens || selection.own_tokens) return;
  const auto most_sizes = [&](Selection asked) {
    RunTable kept = table;
    select_runs(kept, asked);
    std::map<std::string, std::set<double>> sizes;
    std::size_t most = 0;
    for (const RunRow& row : kept.rows) {
      std::set<double>& of_arm = sizes[row.arm];
      of_arm.insert(row.n(asked.n_count));
      most = std::max(most, of_arm.size());
    }
    return most;
  };
  if (most_sizes(selection) >= kFewestSizesForPowerLaw) return;
  Selection own = selection;
  own.own_tokens = true;
  try {
    if (most_sizes(own) >= kFewestSizesForPowerLaw) selection = own;
  } catch (const ConfigError&) {
    // A size at several D: budgets, or data varied on purpose.
  }
}

void remark_waiting(const std::vector<HeldOut>& waiting, NCount n_count, Proposals& out) {
  std::set<std::string> cells;
  for (const HeldOut& held : waiting) {
    cells.insert(held.arch + " of N = " + human(held.n(n_count)) + " (" + held.prediction + ")");
  }
  if (cells.empty()) return;
  std::string list;
  for (const std::string& cell : cells) list += (list.empty() ? "" : ", ") + cell;
  out.notes.push_back(
      "Held out until their loss is predicted, so that nothing that near is proposed: " + list +
      "; the study's own sweep runs them.");
}

void add_slopes_and_seeds(RunTable table, ProposeOptions options, std::vector<Proposal>& all,
                          const std::set<std::string>& with_budgets, Proposals& out) {
  LawOptions& law = options.law;
  if (with_budgets.empty()) find_horizon(table, law.selection);
  select_runs(table, law.selection);
  out.warnings.insert(out.warnings.end(), table.warnings.begin(), table.warnings.end());
  out.horizon = law.selection.horizon;
  law.bootstrap_replicates = 0;
  const std::vector<ArmLaws> laws = fit_arms(table, law.selection.n_count, law);
  std::map<std::string, ArmSettings> settings;
  for (const ArmLaws& arm : laws) {
    std::vector<const RunRow*> rows = rows_of(table, arm.arm, law.selection.n_count);
    if (rows.empty()) {
      out.notes.push_back("Nothing can be proposed for " + arm.arm + ": " + arm.left_out + ".");
      continue;
    }
    const ArmSettings& of_arm = settings
                                    .try_emplace(arm.arm, std::move(rows), law.selection.n_count,
                                                 options.budgets.c_count, options.budgets.waiting)
                                    .first->second;
    // A study of budgets alone has few sizes at one D, and means no line.
    if (static_cast<int>(arm.cells.size()) < kFewestSizesForPowerLaw &&
        with_budgets.contains(arm.arm)) {
      continue;
    }
    append(slope_proposals(table, arm, of_arm, law.level, options.flops), all, out);
  }
  const auto laws_of = [&](const std::string& arm) -> const ArmLaws& {
    return *std::ranges::find(laws, arm, &ArmLaws::arm);
  };
  for (const Comparison& c : compare_all(table, laws, law)) {
    remark_undecided(c, out);
    const ArmLaws &a = laws_of(c.arm_a), &b = laws_of(c.arm_b);
    if (a.cells.empty() || b.cells.empty()) continue;
    append(seed_proposals(table, c, a, b, settings.at(a.arm), settings.at(b.arm)), all, out);
  }
}

// Rows of a table that make no one law, as of several recipes, may be of budgets yet.
RunTable at_every_horizon(const RunTable& table, Selection& selection, Proposals& out) {
  RunTable kept = table;
  if (!table.tabled) {
    select_runs(kept, selection, Horizons::kAll);
    return kept;
  }
  Selection asked = selection;
  try {
    select_runs(kept, asked, Horizons::kAll);
  } catch (const ConfigError& error) {
    kept = table;
    asked = selection;
    keep_usable_runs(kept, asked);
    out.warnings.push_back(std::string("budgets are sought among all rows, though ") +
                           error.what());
  }
  selection = asked;
  return kept;
}

}  // namespace

std::string_view name(ProposalKind kind) {
  switch (kind) {
    case ProposalKind::kNeeded:
      return "needed";
    case ProposalKind::kEdge:
      return "edge";
    case ProposalKind::kSlope:
      return "slope";
    case ProposalKind::kFill:
      return "fill";
    case ProposalKind::kSeeds:
      return "seeds";
  }
  return "";
}

double Proposals::flops() const {
  double sum = 0;
  for (const Proposal& p : proposals) sum += p.flops();
  return sum;
}

void choose(std::vector<Proposal> all, const ProposeOptions& options, Proposals& out) {
  double spent = 0;
  for (Ranked& question : in_order(std::move(all))) {
    double flops = 0;
    std::ptrdiff_t cells = 0;
    for (const Proposal& p : question.proposals) {
      const Proposal* known = find_cell(out.proposals, p);
      cells += known == nullptr ? 1 : 0;
      flops += further_runs(known, p) * p.cell.flops;
    }
    if (std::ssize(out.proposals) + cells > options.most ||
        (options.flops && spent + flops > *options.flops)) {
      out.beyond += static_cast<int>(question.proposals.size());
      continue;
    }
    spent += flops;
    for (Proposal& p : question.proposals) take(std::move(p), out.proposals);
  }
}

Proposals propose(const RunTable& table, const ProposeOptions& options) {
  Proposals out;
  out.source = table.source;
  out.tabled = table.tabled;
  out.n_words = in_words(options.law.selection.n_count);
  std::vector<Proposal> all;
  Selection selection = options.law.selection;
  const RunTable everywhere = at_every_horizon(table, selection, out);
  std::set<std::string> with_budgets;
  for (const std::string& arm : everywhere.arms()) {
    const std::vector<const RunRow*> rows = rows_of(everywhere, arm, selection.n_count);
    if (budgets_of(rows, selection, options.budgets) > 0) with_budgets.insert(arm);
    append(isoflop_proposals(arm, rows, selection, options.budgets), all, out);
  }
  try {
    add_slopes_and_seeds(table, options, all, with_budgets, out);
  } catch (const ConfigError& error) {
    if (with_budgets.empty()) throw;
    out.notes.push_back(std::string("Of slopes and seeds nothing can be proposed: ") +
                        error.what() + ".");
  }
  if (options.flops && std::ranges::any_of(all, [](auto& p) { return !(p.cell.flops > 0); })) {
    throw ConfigError("--flops: " + out.source +
                      " does not tell the training tokens of its runs, so that what a run costs is "
                      "not known; name their column with --map D=COLUMN, or leave --flops out");
  }
  remark_waiting(options.budgets.waiting, selection.n_count, out);
  choose(std::move(all), options, out);
  return out;
}

}  // namespace scalelaw
