// One law fitted to one group of rows, with intervals and what it gives elsewhere.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analysis/fitting/joint_contour.h"
#include "analysis/measurements/law_rows.h"

namespace scalelaw {

enum class IntervalChoice {
  kAuto,  // bootstrap of a robust or lower-edge fit with 12 clusters or more, and of clusters of
          // rows; else the profile of the least-squares fit
  kProfile,
  kBootstrap,
  kSandwich,
  kNone,
};

struct LawQuestion {
  FormulaFitOptions fit;
  IntervalChoice intervals = IntervalChoice::kAuto;
  bool by_cluster = false;  // rows of a cluster are not independent
  double level = 0.95;
  double sigma = 0.002;  // assumed noise in ln where no residual degree of freedom is left
  BootstrapOptions bootstrap;
  std::optional<std::pair<std::size_t, std::size_t>> joint;  // constants asked for together
  std::vector<std::vector<double>> at;  // rows at which the law's value is asked
};

struct LawAnswer {
  std::string group;
  int rows = 0, clusters = 0;
  FormulaFit fit;
  double residual_sd = 0;  // root of the weighted mean square, of residual_df
  // The least-squares fit in the same error space, beside a robust or lower-edge one.
  std::optional<FormulaFit> squares;
  std::vector<OpenInterval> intervals;  // of the constants; empty: none
  bool of_squares = false;              // they are of `squares`, as all intervals below
  std::string intervals_by;             // "profile of the least-squares fit in ln L, 95%"
  std::vector<double> values;           // at the rows asked
  std::vector<double> squares_values;   // of `squares` there, where of_squares
  std::vector<OpenInterval> value_intervals;
  std::optional<JointContour> joint;  // of the least-squares fit; none: remarks say why
  std::vector<std::string> remarks;   // what is not identified, in sentences
};

// Below this many clusters a bootstrap draws too few different samples.
inline constexpr int kFewestToDraw = 12;

LawAnswer answer(const FormulaLaw& law, const LawRows& rows, const LawQuestion& question);

}  // namespace scalelaw
