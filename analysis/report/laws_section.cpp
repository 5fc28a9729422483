#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string interval_or_dash(const std::optional<Interval>& i) {
  return i ? interval_text(i->low, i->high, 3) : "-";
}

std::string n_c_text(const PowerLawFit& p) {
  if (p.status != FitStatus::kConverged) return "-";
  if (!p.n_c_interval) return "not bounded";
  return scientific(p.n_c) + " [" + scientific(p.n_c_interval->low) + ", " +
         scientific(p.n_c_interval->high) + "]";
}

std::string in_words(FitStatus status) {
  std::string text(name(status));
  std::replace(text.begin(), text.end(), '_', ' ');
  return text;
}

void add_power_laws(Document& document, const Study& study) {
  const std::string level = level_text(study.options.level);
  DocumentTable table;
  table.caption =
      "L = (N_c / N)^a at " + study.options.selection.horizon +
      ". a by weighted least squares on ln of the sizes' mean losses, interval by "
      "Student's t; beside it the Huber fit on runs and its bootstrap, for comparison only: in "
      "simulations of 8 and 16 sizes it covered .90 to .93 instead of .95.";
  table.columns = {{"arm", false},
                   {"N counts", false},
                   {"sizes"},
                   {"runs"},
                   {"a"},
                   {level + " interval (t)"},
                   {"N_c, with its interval (an extrapolation to L = 1)"},
                   {"residual sd, %"},
                   {"p of a bend (quadratic term)"},
                   {"a, Huber on runs"},
                   {level + " bootstrap of it"},
                   {"what the bootstrap draws"},
                   {"its replicates stuck / void"},
                   {"fit", false}};
  for (const auto* laws : {&study.laws, &study.other_laws}) {
    for (const ArmLaws& arm : *laws) {
      const PowerLawFit& p = arm.power;
      std::vector<std::string> row = {arm.arm, std::string(short_words(arm.n_count)),
                                      std::to_string(p.sizes), std::to_string(p.runs)};
      if (p.status == FitStatus::kTooFewPoints) {
        row.insert(row.end(), 9, "-");
        row.push_back(p.why);
      } else {
        row.insert(
            row.end(),
            {fixed(p.slope, 3), interval_text(p.slope_interval.low, p.slope_interval.high, 3),
             n_c_text(p), fixed(100 * p.residual_sd, 2),
             p.curvature_p ? p_text(*p.curvature_p) : "-",
             p.robust_status == FitStatus::kConverged ? fixed(p.robust_slope, 3) : "-",
             interval_or_dash(p.bootstrap_interval), p.bootstrap_by_size ? "sizes" : "runs",
             std::to_string(p.bootstrap_stuck) + " / " + std::to_string(p.bootstrap_degenerate),
             in_words(p.status)});
      }
      table.rows.push_back(std::move(row));
    }
  }
  document.add(table.transposed(2));
}

std::string bounds_text(const ProfileInterval& p) {
  if (p.low_bounded && p.high_bounded) return interval_text(p.low, p.high, 2);
  if (p.high_bounded) return "[0, " + fixed(p.high, 2) + "], no lower bound";
  if (p.low_bounded) return "from " + fixed(p.low, 2) + ", no upper bound";
  return "any value";
}

std::string set_text(const ProfileInterval& p) {
  if (p.residual_df <= 0) return "-";
  if (p.unconverged == 0) return bounds_text(p);
  return bounds_text(p) + "; too wide, if anything: " + std::to_string(p.unconverged) +
         " refits did not converge and count as inside";
}

void add_floor_laws(Document& document, const Study& study) {
  const std::string level = level_text(study.options.level);
  DocumentTable table;
  table.caption =
      "L = E + A N^-alpha on weighted means of sizes, to judge whether the data carry a floor. E "
      "and alpha are strongly correlated, so alpha is given over the set of E: where it goes as E "
      "goes through its set, which is no interval of its own. The bootstrap redraws "
      "runs and refits by Huber; it is for comparison. No E here is a "
      "claim: at one D it contains B D^-beta.";
  table.columns = {{"arm", false},
                   {"N counts", false},
                   {"E"},
                   {"alpha"},
                   {level + " set of E, F profile"},
                   {"alpha over that set"},
                   {"E, Huber"},
                   {level + " bootstrap of E"},
                   {level + " bootstrap of alpha"},
                   {"replicates at E = 0 / stuck / void"},
                   {"fit", false}};
  for (const auto* laws : {&study.laws, &study.other_laws}) {
    for (const ArmLaws& arm : *laws) {
      const FloorFit& f = arm.floor;
      std::vector<std::string> row = {arm.arm, std::string(short_words(arm.n_count))};
      if (!has_curve(f.least_squares.status)) {
        row.insert(row.end(), 8, "-");
        row.push_back(f.least_squares.why);
      } else {
        const bool identified = f.floor.identified();
        const auto alpha = [&](double value) { return fixed(value, 2); };
        row.insert(row.end(),
                   {f.least_squares.status == FitStatus::kAtBound ? "0" : fixed(f.e(), 2),
                    alpha(f.least_squares.theta[0]), set_text(f.floor),
                    f.alpha_over_set
                        ? alpha(f.alpha_over_set->low) + " to " + alpha(f.alpha_over_set->high)
                        : "-",
                    f.huber.status == FitStatus::kConverged ? fixed(std::exp(f.huber.theta[2]), 2)
                    : f.huber.status == FitStatus::kAtBound ? "0"
                                                            : "-"});
        const FloorBootstrap& b = f.bootstrap;
        row.insert(row.end(),
                   {b.e ? interval_text(b.e->low, b.e->high, 2) : "-",
                    b.alpha ? interval_text(b.alpha->low, b.alpha->high, 2) : "-",
                    std::to_string(b.at_zero) + " / " + std::to_string(b.stuck) + " / " +
                        std::to_string(b.degenerate) + ", of " + std::to_string(b.replicates)});
        row.push_back(identified ? "E bounded, at this D only"
                      : f.least_squares.status == FitStatus::kConverged
                          ? "not identified"
                          : in_words(f.least_squares.status) + ": " + f.least_squares.why);
      }
      table.rows.push_back(std::move(row));
    }
  }
  document.add(table.transposed(2));
}

void add_local_slopes(Document& document, const Study& study) {
  DocumentTable table;
  table.caption = "Local slopes -d ln L / d ln N between neighbouring sizes (N counts " +
                  std::string(in_words(study.options.selection.n_count)) +
                  "); standard errors from the pooled noise between seeds. A pure power law "
                  "has one slope throughout.";
  table.columns = {{"arm", false}, {"from N"}, {"to N"}, {"slope"}, {"standard error"}};
  for (const ArmLaws& arm : study.laws) {
    for (const LocalSlope& s : arm.local_slopes) {
      table.rows.push_back({arm.arm, human(s.n_low), human(s.n_high), fixed(s.slope, 3),
                            s.standard_error ? fixed(*s.standard_error, 3) : "-"});
    }
  }
  document.add(table);
}

// A table of others tells no shape.
void add_sizes_of_table(Document& document, const Study& study) {
  DocumentTable table;
  table.caption = "The sizes. FLOPs are as the table has them, else 6 N D.";
  table.columns = {{"arm", false}, {"N"}, {"D"}, {"D/N"}, {"runs"}, {"loss"}, {"FLOPs a run"}};
  for (const ArmLaws& arm : study.laws) {
    for (const SizeCell& cell : arm.cells) {
      const RunRow& row = study.table.rows[cell.rows.front()];
      const bool has_d = row.d_tokens() > 0;
      table.rows.push_back({arm.arm, human(cell.n), has_d ? human(row.d_tokens()) : "-",
                            has_d ? human(row.d_tokens() / cell.n) : "-",
                            std::to_string(cell.seeds()), fixed(std::exp(cell.mean_ln_loss), 3),
                            has_d ? scientific(row.training_flops()) : "-"});
    }
  }
  document.add(table);
}

void add_shares(Document& document, const Study& study) {
  if (study.table.tabled) return add_sizes_of_table(document, study);
  DocumentTable table;
  table.caption =
      "What each size is made of. Embedding share: of all stored parameters. Head share: what the "
      "head's n_vocab x d_model adds to N, as a share of N + head. D/N is by N without head.";
  table.columns = {{"arm", false}, {"d_model"}, {"N without head"},  {"N with head"},
                   {"total"},      {"D/N"},     {"embedding share"}, {"head share"},
                   {"runs"},       {"loss"},    {"FLOPs a run"}};
  for (const ArmLaws& arm : study.laws) {
    for (const SizeCell& cell : arm.cells) {
      const RunRow& row = study.table.rows[cell.rows.front()];
      table.rows.push_back(
          {arm.arm, std::to_string(row.record.shape.d_model), human(row.n(NCount::kNonEmbedding)),
           human(row.n(NCount::kNonEmbeddingPlusHead)), human(row.n(NCount::kTotal)),
           human(row.d_tokens() / row.n(NCount::kNonEmbedding)), percent(row.embedding_share(), 0),
           percent(row.head_share(), 0), std::to_string(cell.seeds()),
           fixed(std::exp(cell.mean_ln_loss), 3), scientific(row.training_flops())});
    }
  }
  document.add(table);
}

}  // namespace

void add_laws(Document& document, const Study& study) {
  document.heading("Laws");
  add_power_laws(document, study);
  add_local_slopes(document, study);
  add_floor_laws(document, study);
  add_shares(document, study);
}

}  // namespace scalelaw
