// Predictions written down before the runs that they predict, and set beside what became of them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analysis/predict/held_out.h"
#include "trainer/prediction.h"

namespace scalelaw {

// Publishes each prediction whose name is not registered yet, as of now, and sets its registered_at
// in `found`; those that are registered stand, and become what was registered. Returns a sentence
// for each of these. ConfigError, writing nothing: all are registered, or a cell of one that is not
// has begun, since of what is known already there is no prediction.
std::vector<std::string> register_predictions(HeldOutPredictions& found);

struct ScoredCell {
  PredictedCell predicted;
  std::optional<double> loss;  // what became of it; nullopt: why says why there is none
  bool inside = false;         // the interval
  bool counts = false;         // it was registered before the run began
  std::string began_at;        // "": not known
  std::string why;             // there is no loss, or it does not count
};

struct Score {
  Prediction prediction;
  std::vector<ScoredCell> cells;
  int counted = 0, inside = 0;  // of those that count
};

struct Scores {
  std::vector<Score> scores;          // one a name that is registered
  std::vector<std::string> warnings;  // names that are not; cells that are held out now and are in
                                      // no prediction
};

// Of the record's held-out cells; `text_bytes` as Selection's. Fits nothing. ConfigError: the
// record, or none of its predictions is registered, or one is damaged.
Scores score_predictions(const std::filesystem::path& record_file,
                         const std::map<std::string, int64_t>& text_bytes);

}  // namespace scalelaw
