#include "analysis/leads.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/fitting/distributions.h"
#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// 1: a has the lower loss beyond what noise may do, -1: b has, 0: not told apart.
int lead_at(const EqualSizeDifference& d, double level) {
  const double least =
      d.standard_error ? student_t_quantile(0.5 + 0.5 * level, d.df) * *d.standard_error : 0;
  if (std::abs(d.ln_loss_difference) <= least) return 0;
  return d.ln_loss_difference < 0 ? 1 : -1;
}

// "1k to 4k, 16k": neighbours that the same arm leads are joined, others stand alone.
std::string sizes_led(const Comparison& c, const std::vector<int>& leads, int arm) {
  std::string list;
  for (std::size_t i = 0; i < leads.size(); ++i) {
    if (leads[i] != arm) continue;
    const std::size_t first = i;
    while (i + 1 < leads.size() && leads[i + 1] == arm) ++i;
    list += (list.empty() ? "" : ", ") + human(c.at_equal_n[first].n) +
            (i > first ? " to " + human(c.at_equal_n[i].n) : "");
  }
  return list;
}

std::string how_judged(const EqualSizeDifference& d, double level) {
  if (!d.standard_error) {
    return ": differences of single runs whose noise between seeds is not known.";
  }
  return ", by t at " + level_text(level) +
         " and each size alone, if the noise between seeds is the same at all sizes" +
         (d.text_counted ? "." : "; the test text is not counted.");
}

}  // namespace

std::string who_leads(const Comparison& c, double level) {
  const std::size_t sizes = c.at_equal_n.size();
  if (sizes == 0) return "The arms have no size at which losses can be set side by side.";
  std::vector<int> leads;
  for (const EqualSizeDifference& d : c.at_equal_n) leads.push_back(lead_at(d, level));
  std::string lead;
  for (const int arm : {1, -1}) {
    const auto led = static_cast<std::size_t>(std::count(leads.begin(), leads.end(), arm));
    if (led == 0) continue;
    lead += (lead.empty() ? "" : ", ") + (arm == 1 ? c.arm_a : c.arm_b) +
            " has the lower loss at " +
            (led == sizes ? (sizes == 1 ? "it" : "every one") : std::to_string(led)) +
            " (N = " + sizes_led(c, leads, arm) + ")";
  }
  const auto open = static_cast<std::size_t>(std::count(leads.begin(), leads.end(), 0));
  if (open > 0) {
    lead += (lead.empty() ? "" : ", ") + std::string("the arms are not told apart at ") +
            (open == sizes ? (sizes == 1 ? "it" : "any") : std::to_string(open));
  }
  return "Of the " + std::to_string(sizes) + (sizes == 1 ? " size" : " sizes") +
         " that can be set side by side, " + lead + how_judged(c.at_equal_n.front(), level);
}

}  // namespace scalelaw
