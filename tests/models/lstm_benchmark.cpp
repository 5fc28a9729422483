// One LSTM layer, forward and backward, against at::lstm (what nn.LSTM calls; oneDNN where the
// build has it), interleaved, process CPU time. Run with OMP_NUM_THREADS=1; `ratio` is the median
// of theirs over ours, above 1 where ours needs less.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "models/layers/lstm_layer.h"
#include "tests/models/cpu_timing.h"

namespace scalelaw {
namespace {

at::Tensor leaf(std::vector<int64_t> shape) {
  return (at::randn(shape) * 0.1).requires_grad_(true);
}

Parameter parameter(std::vector<int64_t> shape) {
  at::Tensor value = leaf(std::move(shape));
  value.mutable_grad() = at::zeros_like(value);
  return {value, value.grad()};
}

void lstm_against_aten(benchmark::State& state) {
  const int64_t width = state.range(0), steps = state.range(1), batch = state.range(2);
  at::set_num_threads(1);
  const LstmParameters ours = {parameter({1, width, 4 * width}), parameter({1, width, 4 * width}),
                               parameter({1, 4 * width})};
  const std::vector<at::Tensor> theirs = {leaf({4 * width, width}), leaf({4 * width, width}),
                                          leaf({4 * width}), leaf({4 * width})};
  const at::Tensor x = leaf({steps, batch, width});
  const at::Tensor our_x = x.detach().unsqueeze(0).clone().requires_grad_(true);
  const at::Tensor gradient = at::randn({steps, batch, width});
  const at::Tensor zero = at::zeros({1, batch, width});

  const auto run_ours = [&] { lstm_layer(our_x, ours, {}).backward(gradient.unsqueeze(0)); };
  const auto run_theirs = [&] {
    std::get<0>(at::lstm(x, {zero, zero}, theirs, true, 1, 0.0, true, false, false))
        .backward(gradient);
  };
  const Comparison comparison = compare_cpu_time(state, run_ours, run_theirs);
  state.counters["ours_ms"] = 1e3 * comparison.our_median_seconds;
  state.counters["ratio"] = comparison.median_ratio;
}

BENCHMARK(lstm_against_aten)
    ->Args({32, 64, 16})
    ->Args({64, 128, 16})
    ->Args({112, 128, 8})
    ->Args({384, 256, 4})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace scalelaw

BENCHMARK_MAIN();
