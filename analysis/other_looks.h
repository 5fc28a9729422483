// Other looks at the runs of a comparison, in words: floors, parabolas, another count of N.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/compare.h"

namespace scalelaw {

struct Look {
  std::string text;
  int steeper = 0;     // 1: it finds a steeper, -1: b, 0: no difference
  bool agrees = true;  // false: too eager, or turned within the range; it supports no finding
};

// 1: a is the steeper, -1: b.
int sense(double difference);

// `other`: the same pair by another count of N, or nullptr.
std::vector<Look> other_looks(const Comparison& comparison, const Comparison* other,
                              double significance);

// "; this is not established with X, nor Y": the looks that do not share the straight lines'
// `finding` (as Look::steeper); where that is 0, the looks that find a difference in either sense.
std::string dissent(const std::vector<Look>& looks, int finding);

// What equal slopes of straight lines cannot be claimed against: a bend, a look that finds a
// difference, or parabolas whose slopes differ at an end.
bool equality_is_contradicted(const Comparison& comparison, const std::vector<Look>& looks,
                              double significance);

// A quadratic term is there, by its p.
bool bends(const std::optional<double>& p, double significance);

// Sentences on the law with floors and on parabolas; empty where there is no such fit.
std::string free_floors(const Comparison& comparison, bool found, double significance);
std::string curves_sentence(const Comparison& comparison);

}  // namespace scalelaw
