// Causal attention of the CPU, forward and backward, against ATen's flash attention through
// autograd, interleaved, process CPU time. Run with OMP_NUM_THREADS=1.
// Counters: GFLOP/s of ours, masked scores not counted, and the median ratio of ATen's time to
// ours.
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include "models/layers/attention.h"
#include "tests/models/cpu_timing.h"

namespace scalelaw {
namespace {

// Arguments: windows, tokens, heads, head size, and whether gradients are wanted.
void attention_against_aten(benchmark::State& state) {
  at::set_num_threads(1);
  const int64_t windows = state.range(0), tokens = state.range(1), heads = state.range(2),
                d_head = state.range(3), width = heads * d_head;
  const bool trains = state.range(4) != 0;
  const at::Tensor qkv = at::randn({1, windows * tokens, 3 * width});
  const at::Tensor out_gradient = at::randn({1, windows * tokens, width});
  const auto visit = [&](const auto& attention) {
    const at::Tensor x = qkv.detach().requires_grad_(trains);
    const at::Tensor out = attention(x);
    if (trains) out.backward(out_gradient);
    benchmark::DoNotOptimize(out);
  };
  const auto ours = [&](const at::Tensor& x) {
    return causal_attention(x, {windows, tokens, heads}, {}, {});
  };
  const auto theirs = [&](const at::Tensor& x) {
    const auto parts = x.view({windows, tokens, 3, heads, d_head}).unbind(2);
    return at::scaled_dot_product_attention(parts[0].transpose(1, 2), parts[1].transpose(1, 2),
                                            parts[2].transpose(1, 2), {}, 0.0, /*is_causal=*/true)
        .transpose(1, 2)
        .reshape({1, windows * tokens, width});
  };
  const Comparison comparison = compare_cpu_time(
      state, [&] { visit(ours); }, [&] { visit(theirs); });
  // Two products forward, five backward, of which the mask leaves T (T + 1) / 2 scores.
  const double products = trains ? 7 : 2;
  state.counters["gflops"] = 1e-9 * products *
                             static_cast<double>(windows * heads * tokens * (tokens + 1) * d_head) /
                             comparison.our_median_seconds;
  state.counters["ratio"] = comparison.median_ratio;
}

BENCHMARK(attention_against_aten)
    ->ArgsProduct({{16}, {64}, {2}, {16}, {0, 1}})
    ->ArgsProduct({{16}, {128}, {2}, {32}, {0, 1}})
    ->ArgsProduct({{12}, {64}, {4}, {32}, {0, 1}})
    ->ArgsProduct({{8}, {256}, {4}, {32}, {0, 1}})
    ->ArgsProduct({{4}, {256}, {12}, {32}, {0, 1}})
    ->ArgsProduct({{1}, {1024}, {12}, {64}, {0, 1}})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace scalelaw

BENCHMARK_MAIN();
