// A device on which every measured step takes as long as any other: replicas share every start.
// With `seconds`, of width, replicas and processes side by side, as long as that says.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sweeps/device/device_file.h"
#include "sweeps/device/throughput.h"

namespace scalelaw {

// `kind`: "cpu" or "gpu". One-layer Transformers, each width with each number of replicas and of
// processes.
inline Throughput measured_device(
    const std::string& kind, const std::vector<int>& widths, const std::vector<int>& replicas,
    const std::vector<int>& processes = {1},
    const std::function<double(int, int, int)>& seconds = [](int, int, int) { return 0.01; }) {
  std::string text = "device: one that was measured\nkind: " + kind +
                     "\nstep: eager\ndate: 2026-11-22\ncommit: none\nclock: none\nrows:\n";
  for (const int width : widths) {
    for (const int each : replicas) {
      for (const int beside : processes) {
        text +=
            "  - {arch: transformer, n_layer: 1, d_model: " + std::to_string(width) +
            ", n_head: 1, n_ctx: 32, n_vocab: 256, batch_tokens: 64, precision: fp32, replicas: " +
            std::to_string(each) + ", processes: " + std::to_string(beside) +
            ", step_seconds: " + std::to_string(seconds(width, each, beside)) + "}\n";
      }
    }
  }
  return Throughput(parse_device_file(text, "file"));
}

}  // namespace scalelaw
