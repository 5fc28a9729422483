#include "sweeps/device/step_law.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace scalelaw {
namespace {

constexpr int kContentionSteps = 50;  // s is tried at 0, 1/50, ... 1

using Three = std::array<double, 3>;

// The columns of `used` that minimise sum (x . row - 1)^2, the others 0; nullopt where the columns
// depend on each other or one comes out below 0.
std::optional<Three> least_squares(const std::vector<Three>& rows, unsigned used) {
  std::vector<std::size_t> columns;
  for (std::size_t i = 0; i < 3; ++i) {
    if ((used >> i & 1U) != 0) columns.push_back(i);
  }
  const std::size_t n = columns.size();
  std::array<std::array<double, 4>, 3> system = {};  // normal equations, right side last
  for (const Three& row : rows) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) system[i][j] += row[columns[i]] * row[columns[j]];
      system[i][n] += row[columns[i]];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double whole = system[i][i];
    for (std::size_t k = 0; k < i; ++k) {
      const double factor = system[i][k];
      for (std::size_t j = k; j <= n; ++j) system[i][j] -= factor * system[k][j];
    }
    if (!(system[i][i] > 1e-9 * whole)) return std::nullopt;
    const double pivot = system[i][i];
    for (std::size_t j = i; j <= n; ++j) system[i][j] /= pivot;
  }
  Three solution = {};
  for (std::size_t i = n; i-- > 0;) {
    double value = system[i][n];
    for (std::size_t j = i + 1; j < n; ++j) value -= system[i][j] * solution[columns[j]];
    if (value < 0) return std::nullopt;
    solution[columns[i]] = value;
  }
  return solution;
}

struct Fit {
  StepLaw law;
  double squares = std::numeric_limits<double>::infinity();
};

double starts(const StepTerms& terms, bool together) {
  return terms.parts * (together ? 1 : terms.replicas);
}

// a, b, c >= 0 at a given s: the best of all ways of leaving some of them 0.
Fit fit_at(const std::vector<StepSample>& samples, double taken_by_others, bool together) {
  std::vector<Three> rows;
  for (const StepSample& sample : samples) {
    const double shared = 1 + taken_by_others * (sample.processes - 1);
    rows.push_back({starts(sample.terms, together) / sample.seconds,
                    shared * sample.terms.flops / sample.seconds,
                    shared * sample.terms.bytes / sample.seconds});
  }
  Fit best;
  for (unsigned used = 1; used < 8; ++used) {
    const std::optional<Three> x = least_squares(rows, used);
    if (!x) continue;
    double squares = 0;
    for (const Three& row : rows) {
      const double error = (*x)[0] * row[0] + (*x)[1] * row[1] + (*x)[2] * row[2] - 1;
      squares += error * error;
    }
    if (squares >= best.squares) continue;
    best = {{(*x)[0], together, (*x)[1], (*x)[2], taken_by_others}, squares};
  }
  return best;
}

}  // namespace

bool is_recurrent(const ModelShape& shape) {
  const std::optional<ModelCounts> counts = count(shape);
  return counts && counts->parameters.recurrent > 0;
}

std::optional<StepTerms> terms_of(const StepRequest& request) {
  const std::optional<ModelCounts> counts = count(request.shape);
  StepSetup setup;
  setup.windows = request.batch_windows;
  setup.replicas = request.replicas;
  setup.device = request.device;
  setup.gpu_kernels = request.gpu_kernels;
  setup.bf16_products = request.bf16_products;
  const std::optional<MemoryEstimate> memory = estimate_memory(request.shape, setup);
  if (!counts || !memory) return std::nullopt;
  const ModelShape& shape = request.shape;
  const auto tokens = static_cast<double>(request.replicas * request.batch_windows * shape.n_ctx);
  StepTerms terms;
  terms.parts =
      static_cast<double>(shape.n_layer * (counts->parameters.recurrent > 0 ? shape.n_ctx : 1) + 1);
  terms.replicas = static_cast<double>(request.replicas);
  terms.flops = tokens * training_flops_per_token(shape, *counts, CCount::kExactCausal);
  terms.bytes = memory->tensors();
  return terms;
}

double seconds_by(const StepLaw& law, const StepTerms& terms, int processes) {
  const double shared = 1 + law.taken_by_others * (processes - 1);
  return law.seconds_a_part * starts(terms, law.replicas_start_together) +
         shared * (law.seconds_a_flop * terms.flops + law.seconds_a_byte * terms.bytes);
}

StepLaw fit_law(const std::vector<StepSample>& samples, DeviceKind device) {
  const bool side_by_side =
      std::any_of(samples.begin(), samples.end(),
                  [](const StepSample& sample) { return sample.processes > 1; });
  const double alone = device == DeviceKind::kCpu ? 0 : 1;
  Fit best;
  for (const bool together : {true, false}) {
    for (int i = 0; i <= (side_by_side ? kContentionSteps : 0); ++i) {
      const double taken = side_by_side ? static_cast<double>(i) / kContentionSteps : alone;
      const Fit fit = fit_at(samples, taken, together);
      if (fit.squares < best.squares) best = fit;
    }
  }
  return best.law;
}

std::vector<double> held_out_errors(const std::vector<StepSample>& samples, DeviceKind device) {
  std::vector<double> errors;
  std::vector<ModelShape> shapes;
  for (const StepSample& sample : samples) {
    if (std::find(shapes.begin(), shapes.end(), sample.shape) == shapes.end()) {
      shapes.push_back(sample.shape);
    }
  }
  for (const ModelShape& shape : shapes) {
    std::vector<StepSample> others;
    for (const StepSample& sample : samples) {
      if (sample.shape != shape) others.push_back(sample);
    }
    if (others.size() < kLeastSamples) continue;
    const StepLaw law = fit_law(others, device);
    for (const StepSample& sample : samples) {
      if (sample.shape != shape) continue;
      const double predicted = seconds_by(law, sample.terms, sample.processes);
      errors.push_back(std::abs(std::log(predicted / sample.seconds)));
    }
  }
  return errors;
}

}  // namespace scalelaw
