// Predictions and scores, for people and for scripts.
#pragma once

#include <string>

#include "analysis/predict/held_out.h"
#include "analysis/predict/scoring.h"
#include "analysis/report/document.h"

namespace scalelaw {

Document document_of(const HeldOutPredictions& found);
Document document_of(const Scores& scores);
Document document_of_store(const Scores& scores);  // how often all of them held

// docs/report.md has the keys.
std::string to_json(const HeldOutPredictions& found);
std::string to_json(const Scores& scores);

}  // namespace scalelaw
