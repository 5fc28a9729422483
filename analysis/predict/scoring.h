// Registered predictions set beside what became of the runs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/prediction.h"

namespace scalelaw {

enum class CellScore {
  kInside,
  kOutside,
  kDiverged,     // a finite loss was predicted
  kBegunBefore,  // it was registered: a loss, and no prediction
  kBeginUnknown,
  kNoLoss,  // its folder holds another run, or none on the test set
  kNotComplete,
  kNotStarted,
};
std::string_view in_words(CellScore score);  // "began before it was predicted"
inline bool counts(CellScore score) {
  return score <= CellScore::kDiverged;
}

struct ScoredCell {
  PredictedCell predicted;
  CellScore score = CellScore::kNotStarted;
  std::optional<double> loss;  // what became of it; nullopt: why says why there is none
  bool inside = false;         // the interval
  std::string began_at;        // "": not known
  std::string excluded;        // from the sweep whose record is scored, else that registered it
  std::string why;             // there is no loss, it does not count, or is no extrapolation
};

struct Score {
  Prediction prediction;
  std::vector<ScoredCell> cells;
  int count(CellScore score) const;
  int counted() const;  // what was predicted before it began, and has ended
  // Of those, the different predictions: runs of one N and D share one.
  int sizes() const;
};

struct Scores {
  std::vector<Score> scores;
  std::vector<std::string> warnings;  // names that are not registered; cells that are held out now
                                      // and are in no prediction, or on another test set; files
                                      // that cannot be read
};

// How often the store's predictions held, each with the first run that counts: runs of one N and D
// share a prediction.
struct PredictionCoverage {
  int predictions = 0, inside = 0;
  int runs = 0, runs_inside = 0;  // all that count
  int extrapolated = 0;           // of predictions, those beyond the runs that they are from
  double worst = 0;               // largest |ln(loss / predicted)|
  bool levels_differ = false;     // of intervals
};
PredictionCoverage coverage_of(const std::vector<Score>& scores);

// `file` is a folder of runs: scored are all predictions of that store. Or it is a sweep's record,
// RUNS/sweeps/NAME.json: scored are the predictions that it names, those that the sweep registered
// and those that hold one of its held-out cells; or a prediction itself,
// RUNS/predictions/NAME.json. `text_bytes` as Selection's. Fits nothing. ConfigError: the file,
// none of its predictions is registered, or one that it names is damaged.
Scores score_predictions(const std::filesystem::path& file,
                         const std::map<std::string, int64_t>& text_bytes);

}  // namespace scalelaw
