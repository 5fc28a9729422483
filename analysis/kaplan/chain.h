// Kaplan et al. 2020's chain from training curves to compute-efficient training: smoothing, S_min
// and C_min by the critical batch, the naive and the adjusted law of compute, L(N, S_min),
// exponents predicted of it against those fitted, what a wrong size costs, when runs on little text
// stop to learn and where compute asks more of the data than they hold.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analysis/fitting/bootstrap.h"
#include "analysis/kaplan/data_limit.h"
#include "analysis/kaplan/early_stop.h"
#include "analysis/kaplan/lowest_curve.h"
#include "analysis/kaplan/size_and_steps.h"

namespace scalelaw {

// Numbers of the chain that have an interval.
enum class ChainNumber {
  kNaiveLoss,   // a of L = (C_c / C)^a, C as spent at one batch
  kNaiveScale,  // ln C_c, FLOPs
  kNaiveSize,   // exponents in C of N*, S*
  kNaiveSteps,
  kAdjustedLoss,  // the same of C_min
  kAdjustedScale,
  kAdjustedSize,
  kAdjustedBatch,
  kAdjustedSteps,
  kSizeExponent,  // a_N, a_S, ln N_c, ln S_c of L(N, S_min)
  kStepsExponent,
  kSizeScale,
  kStepsScale,
  kPredictedLoss,  // exponents in C_min that follow of a_N, a_S, a_B
  kPredictedSize,
  kPredictedBatch,
  kPredictedSteps,
  kLossDifference,  // predicted less fitted
  kSizeDifference,
  kBatchDifference,
  kStepsDifference,
  kAboveConverged,  // a_N / a_S
  kCheapLow,        // N / N* within 20% of the least compute
  kCheapHigh,
  kLimitCompute,  // where L(C_min) meets L(D): ln C_min, FLOPs; ln N; ln D, tokens; L
  kLimitSize,
  kLimitData,
  kLimitLoss,
};
inline constexpr std::size_t kChainNumbers = 28;
inline constexpr double kExtraCompute = .2;  // of kCheapLow and kCheapHigh

struct ChainEstimate {
  double value = 0;
  std::optional<Interval> interval;
};

struct ChainOptions {
  SmoothingOptions smoothing;
  BootstrapOptions bootstrap;
  int budgets = 400;  // under an envelope
  double level = 0.95;
  std::optional<DataLaw> data_law = {};  // none: where compute and data meet is not asked
};

struct Chain {
  std::vector<SmoothCurve> smooth;    // of runs that read their text once, the short ones too
  std::vector<AdjustedCurve> curves;  // of those of them that are long enough
  double naive_batch = 0;             // tokens; the batch of most sizes
  std::optional<CriticalBatch> critical;
  std::string no_critical;  // why there is none, where there is none
  LowestCurveLaw naive, adjusted;
  SizeAndSteps joint;
  std::vector<EarlyStop> stops;                  // of runs that read their text more than once
  DataLimit limit;                               // where adjusted stands and a data law is given
  std::optional<double> inverse_a_b;             // of `critical`, over the losses of the joint fit
  std::map<ChainNumber, ChainEstimate> numbers;  // those that stand
  int replicates = 0, without = 0;               // of the bootstrap; of them without the joint fit
  std::vector<LeftOut> left_out;                 // curves
  bool stands() const { return naive.stands() || adjusted.stands() || joint.stands(); }
  const ChainEstimate* find(ChainNumber number) const;
};

// Runs are drawn as wholes; of the replicates that give a number the standard deviation times
// Student's t of (sizes - 2) degrees of freedom is its interval's half width, of the logarithm for
// a_N, a_S and what follows of them, which cannot be below 0. `critical` and the data law are
// taken as exact.
// Replicate i draws by (seed, i) alone.
Chain find_chain(const CurveData& data, std::optional<CriticalBatch> critical,
                 const ChainOptions& options);

}  // namespace scalelaw
