// What a fit of a FormulaLaw minimises, over the search coordinates u of its constants
// (FormulaConstant::to_search), with its exact gradient and Gauss-Newton matrix.
#pragma once

#include <Eigen/Core>
#include <cstddef>
#include <span>
#include <vector>

#include "analysis/laws/formula_derivatives.h"
#include "analysis/laws/formula_law.h"

namespace scalelaw {

// Rows in the order and with the columns of a law's formula.
struct FormulaData {
  std::size_t width = 0;        // columns
  std::vector<double> columns;  // (rows, width)
  std::vector<double> response;
  std::vector<double> weight;  // a count in a bootstrap replicate; 0 leaves the row out

  std::size_t rows() const { return response.size(); }
  const double* row(std::size_t i) const { return columns.data() + i * width; }
  void add(std::span<const double> row, double value, double row_weight = 1);
  double total_weight() const;
  int distinct_points() const;      // of weight > 0, that differ in some column
  std::vector<int> points() const;  // of each row the first that equals it in every column
};

enum class ErrorKind {
  kHuberLn,     // sum of weight * Huber_delta(ln y - ln law), as robust_refine.h
  kGaussianLn,  // half the squares of ln y - ln law
  kGaussian,    // half the squares of y - law
  kEnvelope,    // half the squares of ln y - ln law, those of rows above the law times
                // kEnvelopeWeight: an asymmetric least-squares fit (Newey & Powell 1987) of the
                // lower edge
};
inline constexpr double kEnvelopeWeight = 0.02;
bool is_in_ln(ErrorKind kind);

// A residual's part of F, its first and second derivative in the residual, and Gauss-Newton's
// weight.
struct RowPart {
  double value = 0, slope = 0, curvature = 0, weight = 0;
};
RowPart row_part(ErrorKind kind, double delta, double residual);

struct FormulaObjective {
  const FormulaLaw& law;
  const FormulaData& data;
  ErrorKind kind = ErrorKind::kHuberLn;
  double delta = 1e-3;  // of kHuberLn
  // Of the law; nullptr: searches do without Newton's steps.
  const FormulaDerivatives* derivatives = nullptr;

  // F; infinite where the law has no value at a row. `gradient` and `contributions` (sums of the
  // sizes of the rows' parts of the gradient) have one entry a constant, or are nullptr.
  double value(const double* u, double* gradient = nullptr, double* contributions = nullptr) const;
  // Residuals (rows) and their derivatives (rows, constants) with the sign of the law's, and the
  // weights that make Gauss-Newton's matrix J^T W J. false where the law has no value.
  bool linearise(const double* u, Eigen::VectorXd& residual, Eigen::MatrixXd& jacobian,
                 Eigen::VectorXd& weights) const;
  // What F is divided by, so that solvers do not stop on its being small: delta^2, else the mean
  // square of the residuals at u.
  double scale(const double* u) const;
  // Largest |gradient| / contributions over `free`; 0 is exact.
  double scaled_gradient(const double* u, std::span<const std::size_t> free) const;
  // What a residual is measured in: 1 in ln, else the spread of the response.
  double unit() const;
  // Half the mean square is of rounding's size: the curve goes through every row.
  bool is_exact(double objective) const;
};

}  // namespace scalelaw
