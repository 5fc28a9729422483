// What was measured of training steps on one device: a file that scripts/bench_packs.py writes and
// that configs/devices/ keeps, one a device. sweeps/device/throughput.h makes a law of it.
//
//   device: AMD EPYC, 2 cores     date, commit, clock, note: for people
//   kind: cpu                     or gpu
//   step: eager                   as `scalelaw bench --step`
//   start_seconds: 0.21           optional: of a process, until its model is there
//   rows:
//     - {arch: lstm, n_layer: 2, d_model: 80, n_head: 1, n_ctx: 128, n_vocab: 256,
//        batch_tokens: 2048, precision: fp32, replicas: 1, processes: 2, step_seconds: 0.0231}
//
// A row may also say position (learned where it does not), embeddings (tied) and d_ff_ratio (4).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/memory_estimate.h"
#include "trainer/run_config.h"

namespace scalelaw {

// `processes` programs side by side, each with `replicas` models of one shape.
struct Packing {
  int64_t replicas = 1;  // R
  int processes = 1;     // P
  bool operator==(const Packing&) const = default;
};

// A step of every process: R models of this shape, each on batch_tokens.
struct MeasuredStep {
  ModelShape shape;
  int64_t batch_tokens = 0;  // a multiple of n_ctx
  Precision precision = Precision::kFloat32;
  Packing packing;
  double step_seconds = 0;  // > 0
};

struct DeviceFile {
  std::string file;  // as given
  std::string device;
  DeviceKind kind = DeviceKind::kCpu;
  std::string date;
  std::vector<MeasuredStep> rows;  // never empty
  double start_seconds = 0;        // 0: not measured
};

// ConfigError (file, line, key, value, rule) for what parse_yaml_tree refuses, an unknown key, a
// missing one, a value out of its range, and an impossible shape.
DeviceFile read_device_file(const std::filesystem::path& file);
DeviceFile parse_device_file(std::string_view yaml, const std::string& file_name);
// What parse_device_file() reads as the same, times to four digits.
std::string to_yaml(const DeviceFile& device);

}  // namespace scalelaw
