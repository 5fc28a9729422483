// How often intervals of Kaplan's chain hold what they are of; the tables of docs/kaplan.md.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/analysis/coverage_share.h"
#include "tests/analysis/kaplan_curves.h"

namespace scalelaw {
namespace {

struct ChainDesign {
  const char* what;
  KaplanDesign curves;
};

std::vector<ChainDesign> chain_designs() {
  std::vector<ChainDesign> designs(4);
  designs[0].what = "11 sizes a factor 4 apart; runs .2%, evaluations .2%";
  designs[1].what = "11 sizes a factor 4 apart; runs .5%, evaluations 2%";
  designs[1].curves.run_noise = .005;
  designs[1].curves.evaluation_noise = .02;
  designs[2].what = "8 sizes a factor 3 apart; runs 2%, evaluations .5%";
  designs[2].curves.sizes = 8;
  designs[2].curves.factor = 3;
  designs[2].curves.least_n = 1e6;
  designs[2].curves.run_noise = .02;
  designs[2].curves.evaluation_noise = .005;
  designs[3].what =
      "6 sizes a factor 3 apart; runs .2% to 2%, larger at larger sizes, evaluations .5%";
  designs[3].curves = designs[2].curves;
  designs[3].curves.sizes = 6;
  designs[3].curves.run_noise = .002;
  designs[3].curves.noise_growth = 10;
  return designs;
}

struct Held {
  ChainNumber which;
  const char* words;
  double truth;
  int there = 0, held = 0;
  double sum = 0, squares = 0;
  void add(const Chain& chain) {
    const ChainEstimate* found = chain.find(which);
    if (found == nullptr || !found->interval) return;
    ++there;
    held += found->interval->contains(truth);
    sum += found->value - truth;
    squares += std::pow(found->value - truth, 2);
  }
};

TEST(Coverage, OfKaplansChain) {
  const char* asked = std::getenv("SCALELAW_COVERAGE_SIMULATIONS");
  const int n = asked ? std::atoi(asked) : 15;
  std::printf(
      "| design | number | true | bias | sd | holds | none |\n|---|---|---|---|---|---|---|\n");
  unsigned seed = 91;
  for (const ChainDesign& design : chain_designs()) {
    const EfficientExponents truth = design.curves.truth.exponents();
    const KaplanTruth& law = design.curves.truth;
    const double above = law.a_n / law.a_s;
    const SizeRange cheap = sizes_within(law.a_n, law.a_s, kExtraCompute);
    std::vector<Held> tally = {{ChainNumber::kPredictedLoss, "predicted a_C", truth.loss},
                               {ChainNumber::kPredictedSize, "predicted N* exponent", truth.size},
                               {ChainNumber::kAdjustedLoss, "fitted a_C", truth.loss},
                               {ChainNumber::kAdjustedSize, "fitted N* exponent", truth.size},
                               {ChainNumber::kSizeExponent, "a_N", law.a_n},
                               {ChainNumber::kStepsExponent, "a_S", law.a_s},
                               {ChainNumber::kLossDifference, "a_C, predicted less fitted", 0},
                               {ChainNumber::kSizeDifference, "N*, predicted less fitted", 0},
                               {ChainNumber::kAboveConverged, "a_N/a_S", above},
                               {ChainNumber::kCheapLow, "least N/N* within 20%", cheap.low},
                               {ChainNumber::kCheapHigh, "largest N/N* within 20%", cheap.high}};
    std::mt19937_64 random(seed++);
    for (int i = 0; i < n; ++i) {
      ChainOptions options;
      options.bootstrap = {200, static_cast<uint64_t>(i) + 1, 1};
      const Chain chain =
          find_chain(draw_curves(design.curves, random), published_critical_batch(), options);
      for (Held& each : tally) each.add(chain);
    }
    for (const Held& each : tally) {
      const double mean = each.sum / each.there;
      std::printf("| %s | %s | %.4f | %+.4f | %.4f | %s | %d |\n", design.what, each.words,
                  each.truth, mean, std::sqrt(each.squares / each.there - mean * mean),
                  share(each.held, each.there).c_str(), n - each.there);
      std::fflush(stdout);
      ASSERT_GT(2 * each.there, n) << each.words;
      EXPECT_TRUE(covers(each.held, each.there, .85, 1)) << design.what << ", " << each.words;
    }
  }
}

}  // namespace
}  // namespace scalelaw
