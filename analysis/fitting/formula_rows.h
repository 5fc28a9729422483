// A FormulaObjective's F with gradient and exact Hessian over the search coordinates, in one pass
// over the rows: what depends on the rows alone is computed once, what depends on the constants
// alone once a call, and the rest in blocks of rows, operation after operation.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "analysis/fitting/formula_objective.h"
#include "analysis/laws/formula_derivatives.h"

namespace scalelaw {

// Over all constants; without heap memory of their own.
using ConstantVector = Eigen::Matrix<double, Eigen::Dynamic, 1, 0, LawFormula::kMostNames, 1>;
using ConstantMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, 0,
                                     LawFormula::kMostNames, LawFormula::kMostNames>;

struct FormulaCurvature {
  double value = 0;
  ConstantVector gradient, contributions;  // as FormulaObjective::value
  ConstantVector effect;        // the most that a row's residual moves by, to first order
  ConstantMatrix hessian;       // exact, but at the corners of min and max
  ConstantMatrix gauss_newton;  // J^T W J of FormulaObjective::linearise
};

class FormulaRows {
 public:
  // Keeps the rows of weight above 0. `derivatives` are of the objective's law.
  FormulaRows(const FormulaObjective& objective, const FormulaDerivatives& derivatives);

  // false where a row has no value, or not all of its derivatives.
  bool evaluate(const double* u, FormulaCurvature& out);

 private:
  using Column = Eigen::Map<const Eigen::ArrayXd, Eigen::Aligned16>;
  struct Operand {
    const double* column = nullptr;  // nullptr: `scalar` for every row
    double scalar = 0;
  };
  static void compute(const FormulaDerivatives::Node& node, Operand a, Operand b, double* out,
                      std::size_t count);
  Operand operand(int node, std::size_t begin) const;
  void compute_row_columns(const FormulaData& data, const std::vector<std::size_t>& kept);
  bool weigh(std::size_t begin, std::size_t count, double& sum);
  void accumulate(std::size_t begin, std::size_t count, FormulaCurvature& out);
  void to_search(const double* u, FormulaCurvature& out) const;

  const FormulaObjective& objective_;
  const FormulaDerivatives& derivatives_;
  std::size_t rows_ = 0, constants_ = 0;
  std::vector<int> by_row_, by_constant_, by_both_;  // nodes that are asked for, in order
  std::vector<int> place_;                           // of a node's column, or -1
  Eigen::ArrayXXd row_columns_, block_columns_;      // (rows, by_row_), (block, by_both_)
  std::vector<double> scalars_;                      // by node
  Eigen::ArrayXd response_, weight_;                 // the response in ln where residuals are
  // Of a block: F's derivative in the law's value, and what the products of its first derivatives
  // weigh in the Hessian and in Gauss-Newton's matrix; 1 / the value where residuals are in ln.
  Eigen::ArrayXd slope_, curve_, weigh_, unit_;
};

}  // namespace scalelaw
