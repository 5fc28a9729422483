#include "trainer/instruments/bench.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <vector>

#include "models/layers/product.h"
#include "trainer/clock.h"
#include "trainer/enum_text.h"
#include "trainer/instruments/profile.h"

namespace scalelaw {
namespace {

constexpr int kCeilingProducts = 8;

double process_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                   values.end());
  return values[values.size() / 2];
}

double mean(std::vector<double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

rusage usage() {
  rusage result{};
  getrusage(RUSAGE_SELF, &result);
  return result;
}

double peak_memory(at::Device device) {
  if (device.is_cpu()) return 1024.0 * static_cast<double>(usage().ru_maxrss);
  const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
  constexpr auto kAllPools = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return static_cast<double>(stats.reserved_bytes[kAllPools].peak);
}

}  // namespace

int64_t ceiling_size(at::Device device) {
  return device.is_cuda() ? 8192 : 1024;
}

double product_ceiling(const RehearsalOptions& options) {
  const int64_t size = ceiling_size(options.device);
  const auto type = options.precision == Precision::kBFloat16 ? at::kBFloat16 : at::kFloat;
  const auto draw = [&] { return at::randn({1, size, size}, at::kFloat).to(options.device, type); };
  const at::Tensor a = draw(), b = draw();
  const auto products = [&](int count) {
    at::Tensor c;
    for (int i = 0; i < count; ++i) c = product(a, b);
    (void)c.select(0, 0).select(0, 0).select(0, 0).item<float>();  // waits for a device
  };
  // A GPU needs several to be busy for longer than the read-back takes.
  const int count = options.device.is_cuda() ? 8 : 1;
  products(count);
  double best = 0;
  for (int i = 0; i < kCeilingProducts; ++i) {
    const double start = monotonic_seconds();
    products(count);
    const double flops = 2.0 * std::pow(static_cast<double>(size), 3);
    best = std::max(best, count * flops / (monotonic_seconds() - start));
  }
  return best;
}

BenchResult run_bench(Rehearsal& rehearsal, const BenchOptions& options) {
  BenchResult result;
  result.start_cpu_seconds = process_cpu_seconds();
  const int64_t at_once = rehearsal.steps_at_once();
  for (int64_t step = 0; step < options.warmup_steps; step += at_once) rehearsal.steps(at_once);
  std::vector<double> cpu_seconds, wall_seconds;
  if (options.warmed_up) options.warmed_up();
  const auto faults = usage().ru_minflt;
  const auto share = static_cast<double>(at_once);
  const double start = monotonic_seconds();
  const int64_t every = std::max<int64_t>(1, rehearsal.options().noise_scale_every);
  while (result.steps < options.steps || result.steps % every != 0 ||
         monotonic_seconds() - start < options.seconds) {
    const double cpu = process_cpu_seconds(), wall = monotonic_seconds();
    result.final_loss_nats = rehearsal.steps(at_once);
    cpu_seconds.push_back((process_cpu_seconds() - cpu) / share);
    wall_seconds.push_back((monotonic_seconds() - wall) / share);
    result.steps += at_once;
  }
  result.peak_memory_bytes = peak_memory(rehearsal.options().device);
  result.page_faults_a_step =
      static_cast<double>(usage().ru_minflt - faults) / static_cast<double>(result.steps);
  if (rehearsal.options().device.is_cuda()) {
    result.host_share = rehearsal.launch_share();
    const Profile profile =
        profile_steps(rehearsal, {.warmup_steps = 0, .steps = at_once, .trace = {}});
    result.kernels_a_step = profile.kernels_a_step;
    result.gpu_busy_share = profile.device_seconds / profile.step_seconds;
  }
  if (const auto memory = rehearsal.memory()) result.estimated_memory_bytes = memory->of_steps();
  const auto of_a_step = rehearsal.options().noise_scale_every > 0 ? mean : median;
  result.step_cpu_seconds = of_a_step(cpu_seconds);
  result.step_wall_seconds = of_a_step(wall_seconds);
  result.tokens_per_second =
      static_cast<double>(rehearsal.tokens_a_step()) / result.step_wall_seconds;
  result.flops_per_second = rehearsal.flops_a_step() / result.step_wall_seconds;
  if (options.measure_ceiling) {
    result.ceiling_flops_per_second = product_ceiling(rehearsal.options());
  }
  result.peak_flops_per_second = options.peak_flops_per_second;
  return result;
}

std::string to_json_line(const RehearsalOptions& rehearsal, const BenchResult& result) {
  const std::string kind = rehearsal.noise_scale_every > 0 ? "mean" : "median";
  return nlohmann::json{{"arch", rehearsal.shape.arch},
                        {"n_layer", rehearsal.shape.n_layer},
                        {"d_model", rehearsal.shape.d_model},
                        {"n_head", rehearsal.shape.n_head},
                        {"n_ctx", rehearsal.shape.n_ctx},
                        {"n_vocab", rehearsal.shape.n_vocab},
                        {"batch_windows", rehearsal.batch_windows},
                        {"replicas", rehearsal.replicas},
                        {"precision", enum_text(rehearsal.precision)},
                        {"device", rehearsal.device.str()},
                        {"steps", result.steps},
                        {"start_cpu_seconds", result.start_cpu_seconds},
                        {"step_cpu_seconds_" + kind, result.step_cpu_seconds},
                        {"step_wall_seconds_" + kind, result.step_wall_seconds},
                        {"tokens_per_second", result.tokens_per_second},
                        {"flops_per_second_exact_causal", result.flops_per_second},
                        {"ceiling_flops_per_second", result.ceiling_flops_per_second},
                        {"peak_flops_per_second", result.peak_flops_per_second},
                        {"micro_batch_windows", rehearsal.micro_batch_windows},
                        {"recompute_blocks", rehearsal.recompute_blocks},
                        {"noise_scale_every", rehearsal.noise_scale_every},
                        {"peak_memory_bytes", result.peak_memory_bytes},
                        {"estimated_memory_bytes", result.estimated_memory_bytes},
                        {"page_faults_a_step", result.page_faults_a_step},
                        {"step", enum_text(rehearsal.step)},
                        {"kernels_a_step", result.kernels_a_step},
                        {"host_share", result.host_share},
                        {"gpu_busy_share", result.gpu_busy_share},
                        {"final_loss_nats", result.final_loss_nats}}
      .dump();
}

std::string to_text(const RehearsalOptions& rehearsal, const BenchResult& result) {
  const auto line = [](const char* format, auto... values) {
    char text[256];
    std::snprintf(text, sizeof(text), format, values...);
    return std::string(text);
  };
  std::string text =
      line("%.3f ms a step (%.3f ms of CPU time), %.0f tokens/s\n", 1e3 * result.step_wall_seconds,
           1e3 * result.step_cpu_seconds, result.tokens_per_second);
  if (rehearsal.noise_scale_every > 0) {
    text += line("mean over %lld steps, the noise scale measured at one in %lld\n",
                 static_cast<long long>(result.steps),
                 static_cast<long long>(rehearsal.noise_scale_every));
  }
  const double ceiling = result.ceiling_flops_per_second, peak = result.peak_flops_per_second;
  if (result.flops_per_second > 0 && ceiling > 0) {
    const auto size = static_cast<long long>(ceiling_size(rehearsal.device));
    text += line(
        "%.1f GFLOP/s (exact_causal), %.0f%% of the %.1f that products of %lld x %lld x %lld reach "
        "here\n",
        1e-9 * result.flops_per_second, 100 * result.flops_per_second / ceiling, 1e-9 * ceiling,
        size, size, size);
  }
  if (result.flops_per_second > 0 && peak > 0) {
    text += line("%.1f%% of the device's peak, %.1f TFLOP/s as given\n",
                 100 * result.flops_per_second / peak, 1e-12 * peak);
  }
  if (result.peak_memory_bytes > 0) {
    text += line("%.0f MB at most (on a CPU with program and libraries); ",
                 1e-6 * result.peak_memory_bytes);
  }
  if (result.estimated_memory_bytes > 0) {
    text += line("%.0f MB by the estimate; ", 1e-6 * result.estimated_memory_bytes);
  }
  text += line("%.1f page faults a step\n", result.page_faults_a_step);
  if (result.kernels_a_step == 0) return text;
  text += line("%.1f kernels and copies a step", result.kernels_a_step);
  text += line("; the GPU is busy %.0f%% of the time", 100 * result.gpu_busy_share);
  if (result.host_share > 0) {
    text += line("; the host starts them in %.0f%% of its time", 100 * result.host_share);
  }
  return text + "\n";
}

}  // namespace scalelaw
