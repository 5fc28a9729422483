// Published laws that expressions of a sweep file may call: for a learning rate, a batch, or the
// size at which compute is spent best.
#pragma once

#include <string_view>
#include <vector>

#include "models/model_shape.h"

namespace scalelaw {

// From low to high; both 0 where the law's authors varied nothing.
struct FittedRange {
  double low = 0, high = 0;
  bool holds(double value) const { return low == 0 || (low <= value && value <= high); }
};

struct NamedLaw {
  std::string_view function;  // "step_law_lr"
  std::string_view call;      // "step_law_lr(N, D)": what its arguments are
  std::string_view formula;   // "1.79 N^-0.713 D^0.307"
  std::string_view source;
  NCount n_counts;   // what its N counts
  FittedRange n, d;  // parameters and tokens of the runs that it was fitted to
  double (*of_one)(double) = nullptr;
  double (*of_two)(double, double) = nullptr;  // one of the two
};

// kaplan_lr(N)  kaplan_n(C)  chinchilla_n(C)  step_law_lr(N, D)  step_law_batch(D)
const std::vector<NamedLaw>& named_laws();
const NamedLaw* find_named_law(std::string_view function);  // nullptr where there is none

}  // namespace scalelaw
