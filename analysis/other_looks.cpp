#include "analysis/other_looks.h"

#include <algorithm>

#include "analysis/number_text.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// As study.cpp chooses the count that is set beside another.
std::string counted_otherwise(NCount n_count) {
  switch (n_count) {
    case NCount::kNonEmbedding:
      return "with the head counted in N";
    case NCount::kNonEmbeddingPlusHead:
      return "without the head in N";
    case NCount::kTotal:
      break;
  }
  return "without the embeddings in N";
}

std::string who(const Comparison& c, int steeper) {
  return steeper == 0 ? "" : (steeper > 0 ? c.arm_a : c.arm_b) + " steeper";
}

// An end whose interval excludes 0 on the other side than the centre lies.
bool reversed(const CurvedSlopes& curved, const CurvedSlopes::At& end) {
  return !end.interval.contains(0) && sense(end.difference) != sense(curved.centre.difference);
}

// docs/studies/coverage.md: 15% at 5 sizes against 8 instead of 5%.
bool floors_test_is_too_eager(const Comparison& c) {
  return c.sizes_a != c.sizes_b;
}

Look look_with_floors(const Comparison& c, double significance) {
  const std::string how = "with a free floor in each arm";
  if (c.floor.status != FitStatus::kConverged) return {how + " (no such fit stands)"};
  const std::string p = "p " + p_text(c.floor.p_holm);
  if (c.floor.p_holm >= significance) return {how + " (" + p + ")"};
  const int steeper = sense(c.floor.alpha_a - c.floor.alpha_b);
  const bool eager = floors_test_is_too_eager(c);
  return {
      how + " (" + who(c, steeper) + ", " + p +
          (eager ? ", by a test that is too eager where the arms' numbers of sizes differ" : "") +
          ")",
      steeper, !eager};
}

Look look_by(const Comparison& other, const Comparison& c, double significance) {
  const std::string how = counted_otherwise(c.n_count);
  if (other.status != FitStatus::kConverged) return {how + " (no comparison stands)"};
  const int sign = sense(c.difference);
  const Interval& i = other.interval;
  const Interval turned = sign > 0 ? i : Interval{-i.high, -i.low};
  const int steeper = other.p_holm < significance ? sense(other.difference) : 0;
  return {how + " (" + who(c, steeper) + (steeper == 0 ? "" : ", ") + "difference " +
              fixed(sign * other.difference, 3) + " " + interval_text(turned.low, turned.high, 3) +
              ")",
          steeper};
}

Look look_with_parabolas(const Comparison& c, double significance) {
  const std::string how = "with a parabola in each arm";
  const std::string p = ", p " + p_text(c.curved.p_holm) + ")";
  if (c.curved.p_holm >= significance) return {how + " (at the centre" + p};
  const int steeper = sense(c.curved.centre.difference);
  const bool low = reversed(c.curved, c.curved.low), high = reversed(c.curved, c.curved.high);
  const std::string turn = low && high ? ", reversed at both ends"
                           : low       ? ", reversed at the small end"
                           : high      ? ", reversed at the large end"
                                       : "";
  return {how + " (" + who(c, steeper) + " at the centre" + turn + p, steeper, !low && !high};
}

}  // namespace

int sense(double difference) {
  return difference > 0 ? 1 : -1;
}

bool bends(const std::optional<double>& p, double significance) {
  return p && *p < significance;
}

std::vector<Look> other_looks(const Comparison& c, const Comparison* other, double significance) {
  std::vector<Look> looks = {look_with_floors(c, significance)};
  if (other) looks.push_back(look_by(*other, c, significance));
  if (c.curved.status == FitStatus::kConverged) {
    looks.push_back(look_with_parabolas(c, significance));
  }
  return looks;
}

std::string dissent(const std::vector<Look>& looks, int finding) {
  std::string list;
  for (const Look& look : looks) {
    if (look.steeper == finding && look.agrees) continue;
    list += (list.empty() ? "" : finding != 0 ? ", nor " : ", and ") + look.text;
  }
  if (list.empty()) return "";
  return (finding != 0 ? "; this is not established " : "; a difference is found ") + list;
}

bool equality_is_contradicted(const Comparison& c, const std::vector<Look>& looks,
                              double significance) {
  const bool ends_differ =
      c.curved.status == FitStatus::kConverged &&
      !(c.curved.low.interval.contains(0) && c.curved.high.interval.contains(0));
  return ends_differ || bends(c.bend_p_a, significance) || bends(c.bend_p_b, significance) ||
         std::any_of(looks.begin(), looks.end(), [](const Look& l) { return l.steeper != 0; });
}

// Straight lines may differ only because one arm nears a floor sooner.
std::string free_floors(const Comparison& c, bool found, double significance) {
  if (c.floor.status != FitStatus::kConverged) return "";
  const std::string start =
      "With a floor of its own in each arm (L = E + A N^-alpha) the exponents ";
  const std::string numbers = " (" + fixed(c.floor.alpha_a, 2) + " of " + c.arm_a + ", " +
                              fixed(c.floor.alpha_b, 2) + " of " + c.arm_b + ", p " +
                              p_text(c.floor.p_holm) + ")";
  if (c.floor.p_holm < significance) {
    const bool alike = sense(c.floor.alpha_a - c.floor.alpha_b) == sense(c.difference);
    return start +
           (!found  ? "differ, though the straight lines' slopes were not told apart"
            : alike ? "differ too"
                    : "differ the other way round") +
           numbers +
           (floors_test_is_too_eager(c)
                ? "; where the arm of fewer sizes scatters more this test is too eager: at 5 sizes "
                  "against 8 it rejected equal exponents in 15% of simulations instead of 5%."
                : ".");
  }
  return start + (found ? "are not told apart" : "are not told apart either") + numbers +
         (found ? ": the finding is of straight lines over this range." : ".");
}

std::string curves_sentence(const Comparison& c) {
  if (c.curved.status != FitStatus::kConverged) return "";
  const double sign = c.difference > 0 ? 1 : -1;
  const auto at = [&](const CurvedSlopes::At& there) {
    const Interval turned =
        sign > 0 ? there.interval : Interval{-there.interval.high, -there.interval.low};
    return fixed(sign * there.difference, 3) + " " + interval_text(turned.low, turned.high, 3) +
           " at N = " + human(there.n);
  };
  const CurvedSlopes::At &low = c.curved.low, &high = c.curved.high;
  const bool open = low.interval.contains(0) || high.interval.contains(0);
  const bool turns = !open && sense(low.difference) != sense(high.difference);
  return "With a parabola in ln N for each arm, which follows the bend, the slopes differ by " +
         at(c.curved.centre) + ", the centre of the data; at the ends by " + at(low) + " and by " +
         at(high) +
         (open    ? ": where the interval holds 0, no difference is shown."
          : turns ? ": which arm is steeper changes within the range."
                  : ".");
}

}  // namespace scalelaw
