// A device on which every measured step takes as long as any other: replicas share every start.
#pragma once

#include <string>
#include <vector>

#include "sweeps/device/device_file.h"
#include "sweeps/device/throughput.h"

namespace scalelaw {

// `kind`: "cpu" or "gpu". One-layer Transformers, each width with each number of replicas.
inline Throughput measured_device(const std::string& kind, const std::vector<int>& widths,
                                  const std::vector<int>& replicas) {
  std::string text = "device: one that was measured\nkind: " + kind +
                     "\nstep: eager\ndate: 2026-11-22\ncommit: none\nclock: none\nrows:\n";
  for (const int width : widths) {
    for (const int each : replicas) {
      text +=
          "  - {arch: transformer, n_layer: 1, d_model: " + std::to_string(width) +
          ", n_head: 1, n_ctx: 32, n_vocab: 256, batch_tokens: 64, precision: fp32, replicas: " +
          std::to_string(each) + ", processes: 1, step_seconds: 0.01}\n";
    }
  }
  return Throughput(parse_device_file(text, "file"));
}

}  // namespace scalelaw
