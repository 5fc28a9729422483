// The row kernels behind norm, activation and loss, forward and backward, against ATen's operators
// through autograd, interleaved, process CPU time. Run with OMP_NUM_THREADS=1; `ratio` is the
// median of theirs over ours, above 1 where ours needs less; `gb_per_second` counts every operand
// once.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "models/layers/bias_gelu.h"
#include "models/layers/head_loss.h"
#include "models/layers/residual_norm.h"
#include "tests/models/cpu_timing.h"

namespace scalelaw {
namespace {

at::Tensor leaf(std::vector<int64_t> shape) {
  return at::randn(shape).requires_grad_(true);
}

Parameter parameter(std::vector<int64_t> shape) {
  at::Tensor value = leaf(std::move(shape));
  value.mutable_grad() = at::zeros_like(value);
  return {value, value.grad()};
}

// `operands`: float32 matrices of rows x width that a visit reads or writes at least.
void report(benchmark::State& state, const Comparison& comparison, int64_t operands) {
  state.counters["gb_per_second"] =
      4e-9 * static_cast<double>(operands * state.range(0) * state.range(1)) /
      comparison.our_median_seconds;
  state.counters["ratio"] = comparison.median_ratio;
}

// Arguments: rows, width.
void residual_norm_against_aten(benchmark::State& state) {
  at::set_num_threads(1);
  const int64_t rows = state.range(0), width = state.range(1);
  const at::Tensor residual = leaf({1, rows, width}), branch = leaf({1, rows, width});
  const Parameter gain = parameter({1, width}), bias = parameter({1, width});
  const at::Tensor their_gain = leaf({width}), their_bias = leaf({width});
  const at::Tensor gradient = at::randn({1, rows, width});
  const auto ours = [&] {
    const ResidualNorm out = residual_norm(residual, branch, gain, bias, {});
    (out.normed + out.residual).backward(gradient);
  };
  const auto theirs = [&] {
    const at::Tensor sum = residual + branch;
    (at::layer_norm(sum, {width}, their_gain, their_bias) + sum).backward(gradient);
  };
  report(state, compare_cpu_time(state, ours, theirs), 4 + 4);
}

void bias_gelu_against_aten(benchmark::State& state) {
  at::set_num_threads(1);
  const int64_t rows = state.range(0), width = state.range(1);
  const at::Tensor x = leaf({1, rows, width}), gradient = at::randn({1, rows, width});
  const Parameter bias = parameter({1, width});
  const at::Tensor their_bias = leaf({width});
  // Ours writes into its argument, a fresh product elsewhere.
  const auto ours = [&] { bias_gelu(x * 1.0, bias, {}).backward(gradient); };
  const auto theirs = [&] { at::gelu(x * 1.0 + their_bias, "tanh").backward(gradient); };
  report(state, compare_cpu_time(state, ours, theirs), 2 + 3 + 2);
}

// Arguments: rows, vocabulary. The product with the head is part of both.
void head_loss_against_aten(benchmark::State& state) {
  at::set_num_threads(1);
  constexpr int64_t kWidth = 64;
  const int64_t rows = state.range(0), vocabulary = state.range(1);
  const at::Tensor x = leaf({1, rows, kWidth});
  const Head head = {parameter({1, kWidth, vocabulary}), EmbeddingTying::kUntied};
  const at::Tensor their_head = leaf({kWidth, vocabulary});
  const at::Tensor targets = at::randint(vocabulary, {1, rows}, at::kLong);
  const auto ours = [&] { head_loss(x, head, targets, {}).sum().backward(); };
  const auto theirs = [&] {
    at::cross_entropy_loss(at::mm(x[0], their_head), targets[0]).backward();
  };
  report(state, compare_cpu_time(state, ours, theirs), 1);
}

BENCHMARK(residual_norm_against_aten)
    ->ArgsProduct({{1024}, {32, 64, 128, 384, 768}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(bias_gelu_against_aten)
    ->ArgsProduct({{1024}, {128, 256, 512, 1536}})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK(head_loss_against_aten)
    ->ArgsProduct({{1024}, {65, 256, 1024, 8192}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace scalelaw

BENCHMARK_MAIN();
