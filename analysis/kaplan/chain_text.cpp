#include "analysis/kaplan/chain_text.h"

#include <algorithm>
#include <cmath>

#include "analysis/kaplan/chain_limits_text.h"
#include "analysis/kaplan/chain_numbers.h"
#include "analysis/kaplan/measured_chain_coverage.h"
#include "analysis/laws/formula_law.h"
#include "analysis/number_text.h"
#include "analysis/published/published_laws.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

std::string decades(const LowestCurveLaw& law) {
  return scientific(law.least_c) + " to " + scientific(law.most_c) + " (" +
         fixed(std::log10(law.most_c / law.least_c), 1) + " decades)";
}

std::string counted(int number, const std::string& what) {
  return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
}

void add_conventions(Document& d, const CurveData& data, const Chain& chain) {
  d.paragraph("N: " + data.n_words + ". B: " + data.batch_words + ". L: " + data.loss_words +
              ". C = 6 N B S FLOPs with this N; a PF-day is 8.64e19 of them.");
  if (chain.critical) {
    d.paragraph("B_crit(L) = " + chain.critical->formula() + " tokens (" + chain.critical->words() +
                "), taken as exact: no interval below holds its uncertainty.");
  } else {
    d.notice("No adjusted law: " + chain.no_critical + ".");
  }
}

void add_smoothing(Document& d, const Chain& chain, const ChainOptions& options) {
  int evaluations = 0, in_warmup = 0;
  double noise = 0;
  for (const SmoothCurve& curve : chain.smooth) {
    evaluations += curve.evaluations;
    in_warmup += curve.in_warmup;
    noise += curve.noise * curve.noise;
  }
  d.paragraph(
      counted(static_cast<int>(chain.curves.size()), "curve") + " of " +
      std::to_string(evaluations) + " evaluations, each smoothed by a local parabola of ln L in " +
      "ln S over a factor of " + fixed(options.smoothing.reach, 1) +
      " to either side and taken at " + fixed(options.smoothing.per_decade, 0) +
      " steps a decade; evaluations of the warm-up left " + "out: " + std::to_string(in_warmup) +
      "." +
      (chain.curves.empty()
           ? ""
           : " Scatter of ln L about the smooth curves: " +
                 percent(std::sqrt(noise / static_cast<double>(chain.curves.size())), 2) + "."));
}

void add_laws_of_compute(Document& d, const Chain& chain) {
  const PublishedComputeLaws& published = published_compute_laws();
  const FormulaLaw& adjusted = *find_formula_law("power_c");
  DocumentTable table{"L = (C_c / C)^a and N* ~ C^n, of the lowest curve of each budget",
                      {{"", false},
                       {"a", false},
                       {"C_c, PF-days", false},
                       {"n", false},
                       {"exponent of S", false},
                       {"exponent of B", false},
                       {"C, FLOPs", false},
                       {"runs; sizes", false}},
                      {}};
  if (chain.naive.stands()) {
    table.rows.push_back(
        {"naive, at B = " + human(chain.naive_batch),
         number_text(chain, ChainNumber::kNaiveLoss, 4),
         scale_text(chain, ChainNumber::kNaiveScale, kPetaflopDay),
         number_text(chain, ChainNumber::kNaiveSize, 3),
         number_text(chain, ChainNumber::kNaiveSteps, 3), "-", decades(chain.naive),
         std::to_string(chain.naive.runs) + "; " + std::to_string(chain.naive.sizes)});
  }
  table.rows.push_back({"naive, Kaplan et al. 2020", fixed(published.naive_exponent, 3),
                        scientific(published.naive_pf_days), fixed(published.naive_size, 2), "-",
                        "-", "-", "published"});
  if (chain.adjusted.stands()) {
    table.rows.push_back(
        {"adjusted, C_min and S_min", number_text(chain, ChainNumber::kAdjustedLoss, 4),
         scale_text(chain, ChainNumber::kAdjustedScale, kPetaflopDay),
         number_text(chain, ChainNumber::kAdjustedSize, 3),
         number_text(chain, ChainNumber::kAdjustedSteps, 3),
         number_text(chain, ChainNumber::kAdjustedBatch, 3), decades(chain.adjusted),
         std::to_string(chain.adjusted.runs) + "; " + std::to_string(chain.adjusted.sizes)});
  }
  table.rows.push_back({"adjusted, Kaplan et al. 2020", fixed(*adjusted.constants[1].published, 3),
                        scientific(*adjusted.constants[0].published / kPetaflopDay),
                        fixed(published.size, 2), fixed(published.steps, 2),
                        fixed(published.batch, 2), "-", "published"});
  d.add(table);
  if (!chain.naive.stands())
    d.paragraph("Naive law of compute: cannot tell; " + chain.naive.why + ".");
  if (chain.critical && !chain.adjusted.stands()) {
    d.paragraph("Adjusted law of compute: cannot tell; " + chain.adjusted.why + ".");
  }
}

void add_joint(Document& d, const Chain& chain) {
  if (!chain.critical) {
    d.paragraph("L(N, S_min): cannot tell; S_min needs a law of B_crit.");
    return;
  }
  if (!chain.joint.stands()) {
    d.paragraph("L(N, S_min): cannot tell; the fit is " +
                std::string(name(chain.joint.fit.status)) + ": " + chain.joint.fit.why + ".");
    return;
  }
  const FormulaLaw& law = *find_formula_law("kaplan_ns");
  DocumentTable table{"L = (N_c / N)^a_N + (S_c / S_min)^a_S: " + counted(chain.joint.runs, "run") +
                          " of " + counted(chain.joint.sizes, "size") + ", residual of ln L " +
                          percent(chain.joint.residual_sd, 2),
                      {{"constant", false}, {"fitted", false}, {"Kaplan et al. 2020"}},
                      {}};
  const auto published = [&](const char* symbol) {
    return *std::ranges::find(law.constants, symbol, &FormulaConstant::symbol)->published;
  };
  table.rows = {
      {"a_N", number_text(chain, ChainNumber::kSizeExponent, 4), fixed(published("a_N"), 3)},
      {"a_S", number_text(chain, ChainNumber::kStepsExponent, 3), fixed(published("a_S"), 2)},
      {"N_c", scale_text(chain, ChainNumber::kSizeScale, 1), scientific(published("N_c"))},
      {"S_c", scale_text(chain, ChainNumber::kStepsScale, 1), scientific(published("S_c"))}};
  d.add(table);
}

void add_predicted(Document& d, const Chain& chain) {
  if (!chain.joint.stands()) {
    d.paragraph("Predicted exponents: cannot tell without L(N, S_min).");
    return;
  }
  DocumentTable table{
      "Exponents in C_min: what a_N, a_S and a_B = " + fixed(1 / *chain.inverse_a_b, 3) +
          " say of them, and what the lowest curves do",
      {{"", false},
       {"predicted", false},
       {"fitted", false},
       {"predicted less fitted", false},
       {"Kaplan et al. 2020, fitted"}},
      {}};
  const PublishedComputeLaws& published = published_compute_laws();
  const auto row = [&](const char* what, ChainNumber predicted, ChainNumber fitted,
                       ChainNumber difference, int decimals, double printed) {
    table.rows.push_back({what, number_text(chain, predicted, decimals),
                          number_text(chain, fitted, decimals),
                          number_text(chain, difference, decimals), fixed(printed, 3)});
  };
  row("a_C = 1/(1/a_S + 1/a_B + 1/a_N)", ChainNumber::kPredictedLoss, ChainNumber::kAdjustedLoss,
      ChainNumber::kLossDifference, 4, *find_formula_law("power_c")->constants[1].published);
  row("N, a_C/a_N", ChainNumber::kPredictedSize, ChainNumber::kAdjustedSize,
      ChainNumber::kSizeDifference, 3, published.size);
  row("B, a_C/a_B", ChainNumber::kPredictedBatch, ChainNumber::kAdjustedBatch,
      ChainNumber::kBatchDifference, 3, published.batch);
  row("S, a_C/a_S", ChainNumber::kPredictedSteps, ChainNumber::kAdjustedSteps,
      ChainNumber::kStepsDifference, 3, published.steps);
  d.add(table);
}

void add_wrong_size(Document& d, const Chain& chain) {
  if (!chain.joint.stands()) {
    d.paragraph("Cost of a wrong size: cannot tell without L(N, S_min).");
    return;
  }
  const FormulaLaw& law = *find_formula_law("kaplan_ns");
  const auto published = [&](const char* symbol) {
    return *std::ranges::find(law.constants, symbol, &FormulaConstant::symbol)->published;
  };
  DocumentTable table{"What one loss costs at another size than N*, times the least",
                      {{"N / N*"}, {"compute"}, {"steps"}, {"compute by Kaplan's constants"}},
                      {}};
  const auto factor = [](double value) {
    return std::isfinite(value) ? fixed(value, 2) : std::string("never reached");
  };
  for (const double k : {.25, .5, .6, 1., 2., 2.2, 4., 8.}) {
    const WrongSizeCost cost = wrong_size_cost(chain.joint.a_n, chain.joint.a_s, k);
    table.rows.push_back({canonical(k), factor(cost.compute), factor(cost.steps),
                          factor(wrong_size_cost(published("a_N"), published("a_S"), k).compute)});
  }
  d.add(table);
  d.paragraph("20% more compute or less from " + number_text(chain, ChainNumber::kCheapLow, 2) +
              " to " + number_text(chain, ChainNumber::kCheapHigh, 2) +
              " N* (Kaplan et al. 2020: 0.6 to 2.2). Compute-efficient training stops " +
              "a_N/a_S = " + number_text(chain, ChainNumber::kAboveConverged, 3) +
              " above the loss at convergence (Kaplan et al.: about 0.10).");
}

void add_intervals(Document& d, const Chain& chain, const ChainOptions& options) {
  if (chain.replicates == 0) {
    d.paragraph("No intervals: fewer than five curves to draw from, or none was asked for.");
    return;
  }
  std::string text = "Intervals, called " + level_text(options.level) + ": the deviation over " +
                     std::to_string(chain.replicates) +
                     " draws of runs times Student's t of (sizes - 2) degrees of freedom.";
  if (chain.joint.stands() && chain.without > 0) {
    text += " Draws without L(N, S_min): " + std::to_string(chain.without) + ".";
  }
  d.paragraph(text + " " + kMeasuredChainCoverage);
}

std::string lead(const Chain& chain) {
  const ChainEstimate* predicted = chain.find(ChainNumber::kPredictedLoss);
  if (chain.adjusted.stands() && predicted != nullptr) {
    return "L falls as C_min^-" + number_text(chain, ChainNumber::kAdjustedLoss, 4) +
           " along the lowest curves, and L(N, S_min) predicts " +
           number_text(chain, ChainNumber::kPredictedLoss, 4) + ".";
  }
  if (chain.adjusted.stands()) {
    return "L falls as C_min^-" + number_text(chain, ChainNumber::kAdjustedLoss, 4) +
           " along the lowest curves.";
  }
  if (predicted != nullptr) {
    return "L(N, S_min) predicts that L falls as C_min^-" +
           number_text(chain, ChainNumber::kPredictedLoss, 4) +
           "; the curves themselves show no law of compute.";
  }
  return "At one batch L falls as C^-" + number_text(chain, ChainNumber::kNaiveLoss, 4) +
         "; what the best batch would give, these runs do not say.";
}

}  // namespace

Document document_of(const CurveData& data, const Chain& chain, const ChainOptions& options) {
  Document d;
  d.heading("Kaplan's chain of " + data.source);
  d.lead(lead(chain));
  add_conventions(d, data, chain);
  add_smoothing(d, chain, options);
  add_laws_of_compute(d, chain);
  add_joint(d, chain);
  add_predicted(d, chain);
  add_wrong_size(d, chain);
  add_early_stops(d, chain);
  add_data_limit(d, chain, options);
  add_intervals(d, chain, options);
  std::vector<std::string> left;
  constexpr std::size_t kMostNamed = 10;
  const auto add_left = [&](const std::vector<LeftOut>& some) {
    for (const LeftOut& each : some) left.push_back(each.what + ": " + each.why);
  };
  add_left(data.left_out);
  add_left(chain.left_out);
  const std::size_t all = left.size();
  if (all > kMostNamed) {
    left.resize(kMostNamed);
    left.push_back("and " + std::to_string(all - kMostNamed) + " more, which --json lists");
  }
  if (all > 0) {
    d.paragraph("Left out:");
    d.list(left);
  }
  return d;
}

}  // namespace scalelaw
