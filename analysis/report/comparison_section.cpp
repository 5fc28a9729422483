#include <cmath>

#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string crossing_text(const Comparison& c) {
  const CrossingSet& s = c.crossing;
  switch (s.kind) {
    case CrossingSet::Kind::kNone:
      return "none";
    case CrossingSet::Kind::kEverywhere:
      return "not determined: any N";
    case CrossingSet::Kind::kLeftRay:
      return "not determined: any N up to " + human(s.high);
    case CrossingSet::Kind::kRightRay:
      return "not determined: any N from " + human(s.low);
    case CrossingSet::Kind::kTwoRays:
      return "not determined: up to " + human(s.low) + " or from " + human(s.high);
    case CrossingSet::Kind::kInterval:
      break;
  }
  return human(s.estimate) + " [" + human(s.low) + ", " + human(s.high) + "]" +
         (s.set_measured ? ", inside the measured range" : ", reaches outside the measured range");
}

void add_tests(Document& document, const Comparison& c, const Comparison& other,
               const Study& study) {
  DocumentTable table;
  table.caption = "Slope of " + c.arm_a + " minus slope of " + c.arm_b +
                  ", each arm with its own level; F(1, df) on means of sizes. A size weighs 1 / "
                  "(variance between sizes + seed variance / seeds + evaluation variance), the "
                  "first two pooled over all arms; the interval's scale comes from the residuals. "
                  "The bootstrap over runs is for comparison: it takes runs of one size for "
                  "independent.";
  if (c.pairs > 1) {
    table.caption += " Intervals, power and crossing at " + level_text(c.level) +
                     ", Bonferroni over " + std::to_string(c.pairs) + " pairs.";
  }
  table.columns = {{"N counts", false},
                   {"difference"},
                   {level_text(c.level) + " interval (t)"},
                   {"F"},
                   {"df"},
                   {"p"},
                   {"p, Holm over all pairs"},
                   {level_text(c.level) + " bootstrap, Huber slopes"},
                   {"standard error, the test text's part"},
                   {"usually missed below (80% power)"},
                   {"lines cross at N", false}};
  const Comparison* rows[] = {&c, &other};
  for (const Comparison* k : rows) {
    const NCount counted = k == &c ? study.options.selection.n_count : study.other_count;
    if (k->status != FitStatus::kConverged) continue;
    table.rows.push_back({std::string(name(counted)), signed_fixed(k->difference, 3),
                          interval_text(k->interval.low, k->interval.high, 3), fixed(k->f, 1),
                          std::to_string(k->df), p_text(k->p), p_text(k->p_holm),
                          k->bootstrap_interval ? interval_text(k->bootstrap_interval->low,
                                                                k->bootstrap_interval->high, 3)
                                                : "-",
                          fixed(k->standard_error, 4) + ", " + fixed(k->text_standard_error, 4),
                          fixed(k->detectable, 3), crossing_text(*k)});
  }
  document.add(table.transposed(1));
  if (c.floor.status == FitStatus::kConverged) {
    document.paragraph("With a free floor in both arms, equal exponents (shared alpha " +
                       fixed(c.floor.shared_alpha, 2) + ") have F(1, " +
                       std::to_string(c.floor.df) + ") = " + fixed(c.floor.f, 2) + ", p " +
                       p_text(c.floor.p) +
                       ". E is not shared between the arms: sharing it would turn a small "
                       "difference of E into a false alarm.");
  } else {
    document.paragraph("With a free floor in both arms the exponents cannot be compared here (" +
                       c.floor.why + ").");
  }
}

void add_equal_sizes(Document& document, const Comparison& c) {
  if (c.at_equal_n.empty()) return;
  DocumentTable table;
  table.caption =
      "Loss of " + c.arm_a + " over loss of " + c.arm_b + " at equal N, in percent; below 0 " +
      c.arm_a +
      " is better. Standard errors from the pooled noise between seeds and from the test "
      "text.";
  table.columns = {{"N"}, {"difference"}, {"standard error"}, {"how", false}};
  for (const EqualSizeDifference& d : c.at_equal_n) {
    table.rows.push_back(
        {human(d.n), signed_fixed(100 * std::expm1(d.ln_loss_difference), 1) + "%",
         d.standard_error ? percent(*d.standard_error, 1) : "-",
         d.interpolated ? c.arm_b + " along its slope between its nearest sizes" : "equal sizes"});
  }
  document.add(table);
}

}  // namespace

void add_comparisons(Document& document, const Study& study) {
  if (study.comparisons.empty()) return;
  document.heading("Comparison");
  for (std::size_t i = 0; i < study.comparisons.size(); ++i) {
    const Comparison& c = study.comparisons[i];
    if (study.comparisons.size() > 1) {  // a single one opens the page
      document.paragraph(c.verdict);
      document.list(c.remarks);
    }
    if (c.status != FitStatus::kConverged) continue;
    add_tests(document, c, study.other_comparisons[i], study);
    add_equal_sizes(document, c);
  }
}

}  // namespace scalelaw
