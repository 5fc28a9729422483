#include "analysis/fit_law/law_answer.h"

#include <algorithm>
#include <cmath>

#include "analysis/number_text.h"

namespace scalelaw {
namespace {

std::string digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

ErrorKind squares_kind(const FormulaLaw& law, ErrorKind kind) {
  if (kind == ErrorKind::kGaussian || !law.in_ln) return ErrorKind::kGaussian;
  return ErrorKind::kGaussianLn;
}

std::string squares_words(const FormulaLaw& law, ErrorKind kind) {
  return std::string("the least-squares fit in ") + (is_in_ln(kind) ? "ln " : "") +
         law.formula.response();
}

IntervalChoice chosen(const LawQuestion& question, const LawAnswer& a) {
  if (question.intervals != IntervalChoice::kAuto) return question.intervals;
  const bool squares =
      question.fit.kind == ErrorKind::kGaussian || question.fit.kind == ErrorKind::kGaussianLn;
  // A bootstrap cannot tell what the rows leave open from what they do not.
  const bool open = a.fit.status == FitStatus::kNotIdentified;
  const bool may_draw = a.clusters >= kFewestToDraw && question.bootstrap.replicates > 0;
  if (!open && (question.by_cluster || !squares)) {
    if (may_draw) return IntervalChoice::kBootstrap;
    if (question.by_cluster) return IntervalChoice::kSandwich;
  }
  return IntervalChoice::kProfile;
}

void profile(const FormulaLaw& law, const LawRows& rows, const LawQuestion& question,
             const FormulaFit& squares, LawAnswer& a) {
  const ErrorKind kind = squares_kind(law, question.fit.kind);
  if (question.fit.kind == ErrorKind::kEnvelope) {
    a.remarks.push_back(
        "no interval: a profile is of a least-squares fit, which the lower edge is not; the "
        "bootstrap needs " +
        std::to_string(kFewestToDraw) + (question.by_cluster ? " clusters" : " rows"));
    return;
  }
  a.of_squares = a.squares.has_value();
  if (!has_curve(squares.status)) {
    a.remarks.push_back("there is no interval: " + squares_words(law, kind) + " is " +
                        std::string(name(squares.status)) + " (" + squares.why + ")");
    return;
  }
  const bool assumed = squares.residual_df <= 0;
  const double rise = assumed ? assumed_rise(question.sigma, question.level)
                              : gaussian_rise(squares, question.level);
  const FormulaProfile profile(law, rows.data, kind, squares, rise);
  for (std::size_t k = 0; k < law.constants.size(); ++k) {
    a.intervals.push_back(profile.constant(k));
  }
  for (const std::vector<double>& at : question.at) {
    a.value_intervals.push_back(profile.value_at(at));
    if (a.of_squares) a.squares_values.push_back(law.value(squares.values, at));
  }
  a.intervals_by = "profile of " + squares_words(law, kind) + ", " + level_text(question.level);
  if (assumed) {
    a.intervals_by += ", for an assumed noise of " + percent(question.sigma, 2) +
                      ": the rows leave nothing to measure it by";
  }
}

void draw(const FormulaLaw& law, const LawRows& rows, const LawQuestion& question, LawAnswer& a) {
  FormulaBootstrap drawn =
      bootstrap_formula(law, rows.data, question.fit.kind, a.fit, rows.cluster, rows.clusters,
                        question.at, question.bootstrap, question.level);
  a.intervals = std::move(drawn.constants);
  a.value_intervals = std::move(drawn.values);
  const BootstrapResult& result = drawn.result;
  a.intervals_by = "bootstrap by " + std::string(question.by_cluster ? "cluster" : "row") + ", " +
                   level_text(question.level) + ", " + std::to_string(result.fitted.size()) +
                   " of " + std::to_string(result.replicates) + " replicates";
  if (a.intervals.empty()) {
    a.remarks.push_back("there is no interval: fewer than 100 replicates could be fitted (" +
                        std::to_string(result.stuck) + " stuck, " +
                        std::to_string(result.degenerate) + " without points enough)");
  } else if (result.stuck > 0 || result.degenerate > 0) {
    a.remarks.push_back(std::to_string(result.stuck) + " replicates were stuck, " +
                        std::to_string(result.degenerate) + " had too few points");
  }
  if (rows.clusters < kFewestToDraw) {
    a.remarks.push_back("only " + std::to_string(rows.clusters) +
                        (question.by_cluster ? " clusters" : " rows") +
                        " to draw from: the bootstrap's intervals are too narrow");
  }
}

void join(const FormulaLaw& law, const LawRows& rows, const LawQuestion& question,
          const FormulaFit& squares, LawAnswer& a) {
  const auto [first, second] = *question.joint;
  const std::string both = symbols(law, {first, second}) + " together: ";
  const ErrorKind kind = squares_kind(law, question.fit.kind);
  if (!has_curve(squares.status) || squares.residual_df <= 0) {
    a.remarks.push_back(both + "no contour, since " + squares_words(law, kind) + " is " +
                        std::string(name(squares.status)) +
                        (squares.residual_df > 0 ? "" : " and leaves no noise to measure"));
    return;
  }
  JointContour contour = joint_contour(law, rows.data, kind, squares, first, second,
                                       joint_rise(squares, question.level));
  if (contour.x.empty()) {
    a.remarks.push_back(both + "no contour, since the rows do not determine both");
    return;
  }
  if (!contour.bounded()) {
    a.remarks.push_back(both +
                        "the set has no end in some direction, and the contour stops where " +
                        "the search did");
  }
  a.joint = std::move(contour);
}

// Constants whose interval has an end only one way, or none; where the noise is an assumption,
// those that it leaves free by a factor of 1.5 too.
void say_what_is_open(const FormulaLaw& law, const LawQuestion& question, LawAnswer& a) {
  constexpr double kFree = 1.5;
  const bool assumed = a.fit.residual_df <= 0;
  const std::string only_if = assumed ? " only if sigma = " + percent(question.sigma, 2) : "";
  std::vector<std::size_t> open;
  std::string ends;
  for (std::size_t k = 0; k < a.intervals.size(); ++k) {
    const OpenInterval& interval = a.intervals[k];
    const std::string& symbol = law.constants[k].symbol;
    if (interval.bounded()) {
      if (assumed && !(interval.high < kFree * interval.low)) open.push_back(k);
      continue;
    }
    open.push_back(k);
    if (!interval.low_bounded && !interval.high_bounded) {
      ends += "; no bound on " + symbol;
    } else if (!interval.low_bounded) {
      ends += "; no lower bound on " + symbol + ", at most " + digits(interval.high) + only_if;
    } else {
      ends += "; no upper bound on " + symbol + ", at least " + digits(interval.low) + only_if;
    }
  }
  if (open.empty()) return;
  a.remarks.push_back(symbols(law, open) + (open.size() == 1 ? " is" : " are") + " not identified" +
                      ends);
}

}  // namespace

LawAnswer answer(const FormulaLaw& law, const LawRows& rows, const LawQuestion& question) {
  LawAnswer a;
  a.group = rows.group;
  a.rows = static_cast<int>(rows.data.rows());
  a.clusters = rows.clusters;
  a.fit = fit_formula(law, rows.data, question.fit);
  if (!has_curve(a.fit.status)) return a;
  for (const std::vector<double>& at : question.at) a.values.push_back(law.value(a.fit.values, at));
  const ErrorKind kind = squares_kind(law, question.fit.kind);
  if (kind != question.fit.kind) {
    FormulaFitOptions options = question.fit;
    options.kind = kind;
    a.squares = fit_formula(law, rows.data, options);
  }
  const FormulaFit& squares = a.squares ? *a.squares : a.fit;
  if (squares.residual_df > 0)
    a.residual_sd = std::sqrt(2 * squares.objective / squares.residual_df);
  switch (chosen(question, a)) {
    case IntervalChoice::kAuto:
    case IntervalChoice::kNone:
      break;
    case IntervalChoice::kProfile:
      profile(law, rows, question, squares, a);
      break;
    case IntervalChoice::kBootstrap:
      draw(law, rows, question, a);
      break;
    case IntervalChoice::kSandwich: {
      const FormulaObjective objective{law, rows.data, question.fit.kind, a.fit.delta};
      NormalIntervals found = normal_intervals(objective, a.fit, CovarianceKind::kSandwich,
                                               rows.cluster, rows.clusters, question.level);
      if (!found.refused.empty()) {
        a.remarks.push_back("no interval: " + found.refused);
        break;
      }
      a.intervals = std::move(found.constants);
      a.intervals_by = "sandwich by " + std::string(question.by_cluster ? "cluster" : "row") +
                       " with Student's t, " + level_text(question.level);
      break;
    }
  }
  say_what_is_open(law, question, a);
  if (question.joint) join(law, rows, question, squares, a);
  return a;
}

}  // namespace scalelaw
