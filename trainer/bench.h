// Step time of one shape: the whole training step (batch to update) on random tokens.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "models/model_shape.h"
#include "trainer/run_config.h"

namespace scalelaw {

struct BenchOptions {
  ModelShape shape;            // n_vocab filled in
  int64_t batch_windows = 16;  // B
  int64_t replicas = 1;        // R
  int64_t warmup_steps = 5;    // not timed
  int64_t steps = 30;
  Precision precision = Precision::kFloat32;
  bool plain_operators = false;
  at::Device device{at::kCPU};
};

struct BenchResult {
  double step_cpu_seconds_median = 0;  // of the process, all threads
  double step_wall_seconds_median = 0;
  double tokens_per_second = 0;  // of all replicas, by wall time
  double flops_per_second = 0;   // exact_causal, by wall time
  double final_loss_nats = 0;    // guards against timing a model that does not learn
};

BenchResult run_bench(const BenchOptions& options);
std::string to_json_line(const BenchOptions& options, const BenchResult& result);

}  // namespace scalelaw
