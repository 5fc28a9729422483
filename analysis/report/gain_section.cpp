// What either arm needs for an equal loss, as a table.
#include <cmath>

#include "analysis/gain_words.h"
#include "analysis/number_text.h"
#include "analysis/report/sections.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

void add_rows(const std::string& scale, std::string (*text)(double), const EquivalentGains& gains,
              DocumentTable& table) {
  for (const EquivalentGain& gain : gains.gains) {
    table.rows.push_back({scale, text(gain.at) + (gain.at_measured ? "" : ", beyond its runs"),
                          fixed(std::exp(gain.ln_loss), 3), gain_text(gain.lines),
                          gain.parabolas ? gain_text(*gain.parabolas) : "-"});
  }
}

}  // namespace

void add_gains(Document& document, const Comparison& c) {
  if (c.compute_gains.gains.empty() && c.size_gains.gains.empty()) return;
  DocumentTable table;
  table.caption = "How many times less compute, or size, " + c.arm_a + " needs than " + c.arm_b +
                  " for an equal loss (below 1: more), at " + level_text(c.level) +
                  ". Compute is that of whole runs; at one D it moves with N alone. Sets with one "
                  "end reach past the runs of " +
                  c.arm_a + "; parabolas are followed nowhere else.";
  table.columns = {{"scale", false},
                   {"of " + shortened(c.arm_b, 28)},
                   {"its loss there"},
                   {"straight lines"},
                   {"a parabola in each arm"}};
  add_rows("C, FLOPs", scientific, c.compute_gains, table);
  add_rows(std::string(short_words(c.n_count)), human, c.size_gains, table);
  document.add(table);
}

}  // namespace scalelaw
