// What a training step costs: time, tokens a second, share of the matrix products' ceiling, memory.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "trainer/instruments/rehearsal.h"

namespace scalelaw {

struct BenchOptions {
  int64_t warmup_steps = 5;  // not timed
  // At least; a whole number of Rehearsal::steps_at_once(), and of noise_scale_every.
  int64_t steps = 30;
  double seconds = 0;  // at least; so processes that are timed side by side end together
  bool measure_ceiling = true;
  double peak_flops_per_second = 0;           // of the device by its data sheet; 0: not known
  std::function<void()> warmed_up = nullptr;  // called before the first timed step
};

struct BenchResult {
  int64_t steps = 0;             // timed
  double start_cpu_seconds = 0;  // of the process, until the model is there
  // Of a step the median; the mean where the noise scale is measured at some of them.
  double step_cpu_seconds = 0;  // of the process, all threads
  double step_wall_seconds = 0;
  double tokens_per_second = 0;         // of all replicas, by wall time
  double flops_per_second = 0;          // exact_causal, by wall time; 0 where there is no count
  double ceiling_flops_per_second = 0;  // measured after the steps, product_ceiling(), or 0
  double peak_flops_per_second = 0;     // as it was given
  // Of the process, program and libraries included; on a GPU what LibTorch reserved of its memory.
  double peak_memory_bytes = 0;
  double estimated_memory_bytes = 0;  // models/memory_estimate.h; 0: unknown
  double page_faults_a_step = 0;      // pages that the system had to hand out anew
  double kernels_a_step = 0;          // copies included; of a GPU, as its profiler counts, else 0
  double host_share = 0;       // of a GPU's steps by device or graph: time to start over time
  double gpu_busy_share = 0;   // of a step's time under the profiler: in a kernel or a copy
  double final_loss_nats = 0;  // guards against timing a model that does not learn
};

BenchResult run_bench(Rehearsal& rehearsal, const BenchOptions& options);

// FLOP/s of the best of a few products of square matrices in the precision on the device with the
// threads at hand: what no step of large products will exceed.
double product_ceiling(const RehearsalOptions& options);
// Rows and columns of those: 1,024 on a CPU; 8,192 on a GPU, which starts no kernel in less than
// microseconds.
int64_t ceiling_size(at::Device device);

std::string to_json_line(const RehearsalOptions& rehearsal, const BenchResult& result);
std::string to_text(const RehearsalOptions& rehearsal, const BenchResult& result);

}  // namespace scalelaw
