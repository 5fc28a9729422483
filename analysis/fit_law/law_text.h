// What `scalelaw fit --law` found, for people and for scripts, and the list of laws.
#pragma once

#include <string>
#include <vector>

#include "analysis/fit_law/law_answer.h"
#include "analysis/report/document.h"

namespace scalelaw {

struct LawReport {
  const FormulaLaw& law;
  const Measurements& table;
  const LawQuestion& question;
  std::vector<LawAnswer> answers;  // one a group
};

// "Huber in ln L, delta 0.001".
std::string in_words(ErrorKind kind, const std::string& response, double delta);

Document document_of(const LawReport& report);
std::string to_json(const LawReport& report);

// Formula, columns, source of each named law.
Document list_of_laws();
std::string list_of_laws_json();

}  // namespace scalelaw
