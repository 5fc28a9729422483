// The layers' products against at::mm, interleaved, process CPU time. Run with OMP_NUM_THREADS=1.
// Counters: GFLOP/s of ours, and the median ratio of at::mm's time to ours.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "models/layers/product.h"
#include "tests/models/cpu_timing.h"

namespace scalelaw {
namespace {

// Arguments: rows (B*T), in, out, and which: 0 forward, 1 input gradient, 2 weight gradient, the
// last two summed in float32.
void product_against_aten(benchmark::State& state, at::ScalarType dtype) {
  at::set_num_threads(1);
  const int64_t rows = state.range(0), in = state.range(1), out = state.range(2);
  const at::Tensor x = at::randn({1, rows, in}).to(dtype);
  const at::Tensor gradient = at::randn({1, rows, out}).to(dtype);
  const at::Tensor weight = at::randn({1, in, out}).to(dtype), sum = at::zeros({1, in, out});
  const at::Tensor turned = weight.transpose(1, 2);
  const auto ours = [&] {
    if (state.range(3) == 0) benchmark::DoNotOptimize(product(x, weight));
    if (state.range(3) == 1) benchmark::DoNotOptimize(product(gradient, turned));
    if (state.range(3) == 2) add_transposed_product(x, gradient, sum);
  };
  const auto theirs = [&] {
    if (state.range(3) == 0) benchmark::DoNotOptimize(at::mm(x[0], weight[0]));
    if (state.range(3) == 1) benchmark::DoNotOptimize(at::mm(gradient[0], turned[0]));
    if (state.range(3) != 2) return;
    if (dtype == at::kFloat) {
      sum[0].addmm_(x[0].t(), gradient[0]);
    } else {
      sum[0].add_(at::mm(x[0].t(), gradient[0]));
    }
  };
  const Comparison comparison = compare_cpu_time(state, ours, theirs);
  state.counters["gflops"] =
      2e-9 * static_cast<double>(rows * in * out) / comparison.our_median_seconds;
  state.counters["ratio"] = comparison.median_ratio;
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgsProduct({{1024}, {32}, {96, 128, 256}, {0, 1, 2}})
      ->ArgsProduct({{768}, {128}, {65, 384, 512}, {0, 1, 2}})
      ->ArgsProduct({{1024}, {384}, {1152, 1536}, {0, 1, 2}})
      ->ArgsProduct({{1024}, {1536}, {384}, {0, 1, 2}})
      // rows whole pages apart, and GPT-2's smallest
      ->ArgsProduct({{1024}, {384}, {1024}, {0, 1, 2}})
      ->ArgsProduct({{512}, {768}, {3072}, {0, 1, 2}})
      ->ArgsProduct({{512}, {3072}, {768}, {0, 1, 2}})
      ->Unit(benchmark::kMicrosecond);
}
BENCHMARK_CAPTURE(product_against_aten, fp32, at::kFloat)->Apply(sizes);
BENCHMARK_CAPTURE(product_against_aten, bf16, at::kBFloat16)->Apply(sizes);

}  // namespace
}  // namespace scalelaw

BENCHMARK_MAIN();
