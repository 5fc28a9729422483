// Steps as a CUDA graph: the host starts many kernels with one call. LibTorch's CUDA half is
// needed for it, which no program links: it is in a library of its own, libscalelaw_graph.so,
// loaded where a GPU is used (trainer/cuda/step_graph_cuda.cpp).
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace scalelaw {

class StepGraph {
 public:
  virtual ~StepGraph() = default;
  // Starts `steps` steps on the current stream and returns at once.
  virtual void replay(int64_t steps) = 0;
};

struct Capture {
  std::unique_ptr<StepGraph> graph;  // null: refused
  std::string refusal;               // why, in one line
};

// The library's one symbol, kCaptureSymbol: throws what LibTorch throws.
using CaptureEntry = StepGraph* (*)(const std::function<void()>& step, int device, int unrolled);
inline constexpr char kCaptureSymbol[] = "scalelaw_capture_steps";
// Steps that run before the capture, so that LibTorch's libraries have what they allocate and plan
// when a shape is first met.
inline constexpr int kWarmUpSteps = 3;
// In the longer of two graphs, of many and of one, where steps follow each other: starting it costs
// the host little against its kernels.
inline constexpr int kUnrolledSteps = 8;
inline constexpr int kRecordedSteps = kUnrolledSteps + 1;

// `step` may read nothing back, nor allocate anything that outlives it, and finds its number on the
// device. It runs kWarmUpSteps times and is then recorded, without effect: once alone, and
// `unrolled` times in a row where that is more than 1. Never throws.
Capture capture_steps(const std::function<void()>& step, at::Device device,
                      int unrolled = kUnrolledSteps);

}  // namespace scalelaw
