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
         (s.set_measured ? "" : ", reaches beyond the shared range");
}

std::string at_text(const CurvedSlopes::At& at) {
  return signed_fixed(at.difference, 3) + " " +
         interval_text(at.interval.low, at.interval.high, 3) + " at " + human(at.n);
}

// One comparison as a row; transposed it is a column.
std::vector<std::string> test_row(const Comparison& c, double level, bool holm) {
  const bool curved = c.curved.status == FitStatus::kConverged;
  const bool floors = c.floor.status == FitStatus::kConverged;
  std::vector<std::string> row = {std::string(short_words(c.n_count)),
                                  human(c.n_low) + " to " + human(c.n_high),
                                  std::to_string(c.sizes_a) + " and " + std::to_string(c.sizes_b),
                                  fixed(c.slope_a, 3),
                                  fixed(c.slope_b, 3),
                                  signed_fixed(c.difference, 3),
                                  interval_text(c.interval.low, c.interval.high, 3) +
                                      (c.level == level ? "" : " at " + level_text(c.level)),
                                  fixed(c.standard_error, 4),
                                  c.text_standard_error ? fixed(*c.text_standard_error, 4) : "-",
                                  fixed(c.f, 1) + " (1, " + fixed(c.df, 1) + ")",
                                  p_text(c.p)};
  if (holm) row.push_back(p_text(c.p_holm));
  row.insert(row.end(),
             {c.bootstrap_interval
                  ? interval_text(c.bootstrap_interval->low, c.bootstrap_interval->high, 3)
                  : "-",
              std::to_string(c.bootstrap_stuck) + " / " + std::to_string(c.bootstrap_degenerate) +
                  ", of " + std::to_string(c.bootstrap_replicates),
              fixed(c.detectable, 3), fixed(c.detectable_in_half, 3),
              curved ? at_text(c.curved.centre) + ", p " + p_text(c.curved.p_holm) : c.curved.why,
              curved ? at_text(c.curved.low) : "-", curved ? at_text(c.curved.high) : "-",
              floors ? fixed(c.floor.alpha_a, 2) + " and " + fixed(c.floor.alpha_b, 2) + ", p " +
                           p_text(c.floor.p_holm)
                     : c.floor.why,
              crossing_text(c)});
  return row;
}

void add_tests(Document& document, const Comparison& c, const Comparison& other) {
  const std::string level = level_text(c.level);
  DocumentTable table;
  table.caption =
      "Slope of " + c.arm_a + " minus slope of " + c.arm_b +
      ", each arm with its own level, on the sizes that both arms' ranges cover. A size "
      "weighs 1 / (variance between sizes + seed variance / seeds + evaluation "
      "variance), the first two pooled over arms; each arm's residuals give the scale of its own "
      "part of the interval, whose degrees of freedom (Satterthwaite's) need not be whole. "
      "Intervals with parabolas cover about 91% to 98% in simulations at 95%, least at an end "
      "where "
      "noise is largest. The test of floors takes one scale for both arms: where the arm of "
      "fewer sizes scatters more it finds differences too easily. The bootstrap over runs is for "
      "comparison: it takes runs of one size for independent.";
  if (c.pairs > 1) {
    table.caption += " Intervals, power and crossing at " + level + ", Bonferroni over " +
                     std::to_string(c.pairs) + " pairs; p of curves and floors by Holm.";
  }
  table.columns = {{"N counts", false},
                   {"N of the sizes used"},
                   {"sizes"},
                   {"slope of " + shortened(c.arm_a, 28)},
                   {"slope of " + shortened(c.arm_b, 28)},
                   {"difference"},
                   {level + " interval (t)"},
                   {"standard error"},
                   {"of it, the test text's"},
                   {"F (degrees of freedom)"},
                   {"p"}};
  const bool holm = c.pairs > 1 || other.pairs > 1;
  if (holm) table.columns.push_back({"p by Holm over all pairs"});
  for (const std::string& header :
       {level + " bootstrap, Huber slopes", std::string("its replicates stuck / void"),
        std::string("found in 80% of such studies"), std::string("found in half of them"),
        std::string("difference with a parabola in each arm, at the centre of ln N"),
        std::string("the same at the small end"), std::string("the same at the large end"),
        std::string("exponents alpha with a free floor in each arm"),
        std::string("lines cross at N")}) {
    table.columns.push_back({header});
  }
  for (const Comparison* k : {&c, &other}) {
    if (k->status == FitStatus::kConverged) table.rows.push_back(test_row(*k, c.level, holm));
  }
  document.add(table.transposed(1));
  document.paragraph(
      "A floor is not shared between the arms: sharing it would turn a small difference of E into "
      "a false alarm.");
}

void add_equal_sizes(Document& document, const Comparison& c) {
  if (c.at_equal_n.empty()) return;
  DocumentTable table;
  table.caption =
      "Loss of " + c.arm_a + " over loss of " + c.arm_b + " at equal N, in percent; below 0 " +
      c.arm_a +
      " is better. Standard errors from the noise between seeds, pooled over sizes and right if it "
      "is the same at all of them, " +
      (c.at_equal_n.front().text_counted ? "and from the test text."
                                         : "without what the test text adds, which is not known.");
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
    const bool counted_otherwise = !study.other_comparisons.empty();
    if (c.status == FitStatus::kConverged) {
      add_tests(document, c, counted_otherwise ? study.other_comparisons[i] : Comparison{});
    }
    add_gains(document, c);
    add_equal_sizes(document, c);
  }
}

}  // namespace scalelaw
