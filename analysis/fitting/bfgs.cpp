#include "analysis/fitting/bfgs.h"

#include <ceres/first_order_function.h>
#include <ceres/gradient_problem.h>
#include <ceres/gradient_problem_solver.h>
#include <glog/logging.h>

namespace scalelaw {
namespace {

class CeresFunction final : public ceres::FirstOrderFunction {
 public:
  CeresFunction(const ValueAndGradient& of, int size) : of_(of), size_(size) {}
  int NumParameters() const override { return size_; }
  bool Evaluate(const double* const x, double* value, double* gradient) const override {
    return of_(x, value, gradient);
  }

 private:
  const ValueAndGradient& of_;
  int size_;
};

}  // namespace

void minimise_by_bfgs(const ValueAndGradient& of, int most_iterations, std::vector<double>& x) {
  // Its line search warns on standard error about polynomials of a step that is already exact.
  [[maybe_unused]] static const int quiet = FLAGS_minloglevel = google::GLOG_ERROR;
  const ceres::GradientProblem problem(new CeresFunction(of, static_cast<int>(x.size())));
  ceres::GradientProblemSolver::Options options;
  options.line_search_direction_type = ceres::BFGS;
  options.max_num_iterations = most_iterations;
  options.function_tolerance = 0;
  options.parameter_tolerance = 0;
  options.gradient_tolerance = 1e-11;
  options.logging_type = ceres::SILENT;
  ceres::GradientProblemSolver::Summary summary;
  ceres::Solve(options, problem, x.data(), &summary);
}

}  // namespace scalelaw
