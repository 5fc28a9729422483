// What machines come to: compute, hours, price, and whether a model fits into them.
#pragma once

#include <optional>
#include <string>

#include "analysis/budget/planning_law.h"
#include "analysis/budget/question.h"

namespace scalelaw {

struct BudgetOptions {
  std::optional<double> utilisation;     // share of the peak; nullopt: as published runs had
  std::optional<double> price_per_hour;  // of one device
};

struct Utilisation {
  double low, middle, high;  // equal where it was given
  bool given;
};
Utilisation utilisation_of(const BudgetOptions& options);

// C of machines for a time, or the compute that was said; nullopt: neither was.
std::optional<double> flops_of(const BudgetQuestion& question, double utilisation);
// How long they take; needs machines with a count.
double seconds_for(double flops, const Machines& machines, double utilisation);

// "are", of one machine "is": what said_in_words() goes on with.
std::string said_verb(const BudgetQuestion& question);
// "100 A100-80GB for 30 days", "64,000 hours of A100-80GB", "1e21 FLOPs".
std::string said_in_words(const BudgetQuestion& question);

// A sentence on weights, gradients and Adam's moments against the machines' memory.
struct MemoryCheck {
  bool fits = true;
  std::string words;
};
MemoryCheck memory_check(double n, const Machines& machines);

}  // namespace scalelaw
