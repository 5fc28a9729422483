// The sections of a report, each a function of the study.
#pragma once

#include "analysis/report/document.h"
#include "analysis/study.h"

namespace scalelaw {

// What the study found, in one sentence that stands alone, and short support for it.
struct Conclusions {
  std::string finding;
  std::vector<std::string> support;
};
Conclusions conclusions(const Study& study);
void add_laws(Document& document, const Study& study);
void add_multiverse(Document& document, const Study& study);
// How far the choices of the multiverse move the headline; "" of one way alone.
std::string multiverse_sentence(const Study& study);
void add_comparisons(Document& document, const Study& study);
// Of one comparison.
void add_gains(Document& document, const Comparison& comparison);
void add_noise(Document& document, const Study& study);
void add_runs(Document& document, const Study& study);
void add_words(Document& document);
void add_provenance(Document& document, const Study& study);

}  // namespace scalelaw
