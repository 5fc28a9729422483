#include "analysis/figures/paper_figures.h"

namespace scalelaw {
namespace {

struct Need {
  const char* words;
  bool (*met)(const Holdings&);
};

constexpr Need kSizes{"five sizes of one arm at one D",
                      [](const Holdings& h) { return h.sizes >= 5; }};
constexpr Need kHorizons{"one shape at three D", [](const Holdings& h) { return h.horizons >= 3; }};
constexpr Need kGrid{"three sizes at three D each",
                     [](const Holdings& h) { return h.grid_sizes >= 3; }};
constexpr Need kCurves{"losses while training of three sizes",
                       [](const Holdings& h) { return h.curve_sizes >= 3; }};
constexpr Need kBatches{"batch scans at constant learning rate: three batches at each of two sizes",
                        [](const Holdings& h) { return h.scanned_sizes >= 2; }};
constexpr Need kNoise{"the gradient noise scale of two sizes",
                      [](const Holdings& h) { return h.noise_sizes >= 2; }};
constexpr Need kShapes{"four shapes of one N at one D",
                       [](const Holdings& h) { return h.shapes >= 4; }};
constexpr Need kDepths{"three depths of three sizes each",
                       [](const Holdings& h) { return h.depths >= 3; }};
constexpr Need kBothArchitectures{
    "three sizes of a Transformer and of an LSTM", [](const Holdings& h) {
      return h.architectures.contains("transformer") && h.architectures.contains("lstm");
    }};
constexpr Need kUniversal{"a Universal Transformer at three sizes", [](const Holdings& h) {
                            return h.architectures.contains("universal_transformer");
                          }};
constexpr Need kPositions{"loss by position of three sizes",
                          [](const Holdings& h) { return h.position_sizes >= 3; }};
constexpr Need kPositionsInTime{"loss by position while training, which no run records",
                                [](const Holdings&) { return false; }};
constexpr Need kContexts{"a second context length at three sizes",
                         [](const Holdings& h) { return h.contexts >= 2; }};
constexpr Need kTestSets{"a second test set", [](const Holdings& h) { return h.test_sets >= 2; }};
constexpr Need kTestSetsInTime{"losses on a second test set while training",
                               [](const Holdings& h) { return h.curve_test_sets >= 2; }};
constexpr Need kLimitedText{"one size on two training texts, each read more than once",
                            [](const Holdings& h) { return h.limited_texts >= 2; }};
constexpr Need kSchedules{"three schedules of the learning rate at one size",
                          [](const Holdings& h) { return h.schedules >= 3; }};
constexpr Need kIsoFlop{"five sizes at each of three budgets of FLOPs",
                        [](const Holdings& h) { return h.isoflop_budgets >= 3; }};

struct Rule {
  const char *id, *shows, *by;
  std::vector<Need> needs;
};

const std::vector<Rule>& rules() {
  constexpr const char *kFigures = "scalelaw figures", *kFrontier = "scalelaw frontier";
  static const std::vector<Rule> all = {
      {"Kaplan 1", "loss against C, D and N with power laws", "", {kSizes, kHorizons, kCurves}},
      {"Kaplan 2",
       "loss against tokens and compute, a line a size",
       "scalelaw figures, against tokens",
       {kCurves}},
      {"Kaplan 3", "how more compute is split into size, batch, steps", "", {kCurves, kBatches}},
      {"Kaplan 4", "L(N, D) and L(N, S) beside the runs", "", {kGrid, kCurves}},
      {"Kaplan 5", "loss at one N for other shapes", "", {kShapes}},
      {"Kaplan 6", "loss against N with and without embeddings, by depth", "", {kDepths}},
      {"Kaplan 7",
       "LSTM and Transformer: against N, by position",
       kFigures,
       {kBothArchitectures, kPositions}},
      {"Kaplan 8", "loss on other text", "", {kTestSets, kTestSetsInTime}},
      {"Kaplan 9", "loss and overfitting against N and D", "", {kGrid}},
      {"Kaplan 10", "critical batch against loss, and the noise scale", "", {kBatches, kNoise}},
      {"Kaplan 11", "loss against N at fixed compute, at fixed steps", "", {kCurves}},
      {"Kaplan 12", "what a size off the best one costs", "", {kCurves}},
      {"Kaplan 13", "L(C_min) beside the naive L(C)", "", {kCurves, kBatches}},
      {"Kaplan 14", "best size and steps against C_min", "", {kCurves, kBatches}},
      {"Kaplan 15", "where L(C_min) meets L(D(C))", "", {kHorizons, kCurves, kBatches}},
      {"Kaplan 16", "when to stop, train and test curves", "", {kLimitedText, kCurves}},
      {"Kaplan 17", "Universal Transformers", "", {kUniversal}},
      {"Kaplan 18", "batch scans: steps against examples", "", {kBatches}},
      {"Kaplan 19", "steps and examples to a loss, by N", "", {kCurves, kBatches}},
      {"Kaplan 20",
       "loss by position, by size and while training",
       "",
       {kPositions, kPositionsInTime}},
      {"Kaplan 21", "loss against N at chosen positions", "", {kPositions, kContexts}},
      {"Kaplan 22", "schedules of the learning rate", "", {kSchedules}},
      {"Kaplan 23", "a power law against a logarithm", "", {kSizes}},
      {"Kaplan 24", "loss on other text by depth", "", {kDepths, kTestSets}},
      {"Chinchilla 2", "envelope of the training curves", kFrontier, {kCurves}},
      {"Chinchilla 3", "runs of equal compute", kFrontier, {kIsoFlop}},
      {"Chinchilla 4", "L(N, D) and its frontier", kFrontier, {kGrid}},
      {"Chinchilla A1", "length of the cosine cycle", "", {kSchedules}},
      {"Chinchilla table 2", "exponents by every approach", kFrontier, {kCurves, kIsoFlop, kGrid}},
      {"Chinchilla table 3", "best N and D of budgets", kFrontier, {kGrid}},
      {"Chinchilla table A9", "the sizes trained", "", {kSizes}},
  };
  return all;
}

}  // namespace

std::vector<PaperFigure> paper_figures(const Holdings& holdings) {
  std::vector<PaperFigure> out;
  for (const Rule& rule : rules()) {
    PaperFigure figure{rule.id, rule.shows, rule.by, {}};
    for (const Need& need : rule.needs) {
      if (!need.met(holdings)) figure.lacks.emplace_back(need.words);
    }
    out.push_back(std::move(figure));
  }
  return out;
}

}  // namespace scalelaw
