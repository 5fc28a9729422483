// Loss of runs while they train, which is what Kaplan et al. 2020's laws of compute are made of.
#pragma once

#include <string>
#include <vector>

#include "analysis/frontier/frontier_data.h"

namespace scalelaw {

struct TrainingCurve {
  std::string name;                // "transformer_l2w16_...", "runs.csv, line 2"
  double n = 0;                    // parameters
  double batch = 0;                // tokens an update
  double unique = 0;               // tokens of the training text; 0: not known
  double warmup = 0;               // updates of the learning rate's warm-up; 0: none is known
  std::vector<double> step, loss;  // updates done, ascending; > 0

  double tokens() const { return batch * step.back(); }
  // Text was read more than once: its loss is not of K1.6, which knows no D.
  bool repeats() const { return unique > 0 && tokens() > 1.01 * unique; }
};

struct CurveData {
  std::string source;
  std::string n_words, batch_words, loss_words;  // "parameters without embeddings and head"
  std::vector<TrainingCurve> curves;
  std::vector<LeftOut> left_out;
  std::vector<std::string> notes, warnings;  // sentences for people
};

}  // namespace scalelaw
