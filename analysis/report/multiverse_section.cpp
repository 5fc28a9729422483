#include <algorithm>

#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string text_of(const std::optional<double>& exponent) {
  return exponent ? fixed(*exponent, 3) : "-";
}

const Multiverse& of_arm(const Study& study, const std::string& arm) {
  return *std::ranges::find(study.multiverse, arm, &Multiverse::arm);
}

std::string range_of(const std::vector<double>& values) {
  const auto [low, high] = std::ranges::minmax(values);
  return fixed(low, 3) + " to " + fixed(high, 3);
}

}  // namespace

std::string multiverse_sentence(const Study& study) {
  std::string text;
  for (const Comparison& c : study.comparisons) {
    if (c.status != FitStatus::kConverged) continue;
    const MultiverseDifference d = difference(of_arm(study, c.arm_a), of_arm(study, c.arm_b));
    if (d.ways < 2) continue;
    const int same = c.difference > 0 ? d.positive : d.ways - d.positive;
    text += (text.empty() ? "By other ways of counting, choosing and fitting (the table of many "
                            "ways) the slope of "
                          : "; that of ") +
            c.arm_a + " minus that of " + c.arm_b + " is " + signed_fixed(d.low, 3) + " to " +
            signed_fixed(d.high, 3) + ", and " +
            (same == d.ways ? "keeps its sign in all "
                            : "has the same sign in " + std::to_string(same) + " of ") +
            std::to_string(d.ways);
  }
  if (!text.empty()) return text + ".";
  for (const Multiverse& m : study.multiverse) {
    const std::vector<double> slopes = m.slopes();
    if (slopes.size() < 2) continue;
    text += (text.empty() ? "By other ways of counting, choosing and fitting (the table of many "
                            "ways) the slope of "
                          : "; that of ") +
            m.arm + " is " + range_of(slopes) + " over " + std::to_string(slopes.size());
  }
  return text.empty() ? "" : text + ".";
}

void add_multiverse(Document& document, const Study& study) {
  DocumentTable table;
  table.caption =
      "The exponent by many ways: what N counts, sizes left out, and how points off the line "
      "weigh. The first three are slopes a of L = (N_c / N)^a: least squares on means of sizes "
      "(the "
      "headline's), Huber on runs, least absolute residuals on runs (Huber's delta 1e-3, as "
      "Hoffmann et al. took). alpha, of L = E + A N^-alpha, is another quantity; - where E is not "
      "identified. No interval: the spread is that of choices, not of chance.";
  table.columns = {{"arm", false}, {"N counts", false},   {"sizes", false},
                   {"number"},     {"least squares"},     {"Huber"},
                   {"absolute"},   {"alpha with a floor"}};
  for (const Multiverse& m : study.multiverse) {
    for (const MultiverseRow& row : m.rows) {
      table.rows.push_back({m.arm, std::string(short_words(row.n_count)),
                            std::string(in_words(row.left_out)), std::to_string(row.sizes),
                            text_of(row.least_squares), text_of(row.huber), text_of(row.absolute),
                            text_of(row.floor_alpha)});
    }
  }
  if (table.rows.empty()) return;
  document.heading("Many ways to the same exponent");
  document.add(table, true);
  const std::string sentence = multiverse_sentence(study);
  if (!sentence.empty()) document.paragraph(sentence);
}

}  // namespace scalelaw
