// libscalelaw_graph.so: steps captured through LibTorch's CUDA half. See trainer/step_graph.h.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>

#include "trainer/step_graph.h"

namespace scalelaw {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// Of the longer of two graphs: starting it then costs the host little against its kernels.
constexpr int64_t kUnrolled = 8;

class CapturedSteps : public StepGraph {
 public:
  CapturedSteps(const std::function<void()>& step, c10::DeviceIndex device)
      : device_(device), pool_(at::cuda::graph_pool_handle()) {
    const c10::cuda::CUDAGuard on_device(device);
    // Warm-up and capture share a stream: autograd and cuBLAS keep what belongs to it.
    const auto stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device);
    c10::cuda::device_synchronize();
    {
      const c10::cuda::CUDAStreamGuard on_stream(stream);
      for (int i = 0; i < kWarmUpSteps; ++i) step();
      stream.synchronize();
      allocator::emptyCache();  // what the warm-up took belongs to that stream alone
      record(unrolled_, step, kUnrolled);
      record(single_, step, 1);
    }
    c10::cuda::device_synchronize();
  }

  void replay(int64_t steps) override {
    for (; steps >= kUnrolled; steps -= kUnrolled) unrolled_.replay();
    for (; steps > 0; --steps) single_.replay();
  }

 private:
  // The graphs run one after another and leave nothing in the memory that they share.
  void record(at::cuda::CUDAGraph& graph, const std::function<void()>& step, int64_t steps) {
    graph.capture_begin(pool_);
    try {
      for (int64_t i = 0; i < steps; ++i) step();
    } catch (const std::exception&) {
      abandon(graph);
      throw;
    }
    graph.capture_end();
  }

  // The stream leaves its capture, and the allocator the pool: else it would hold back what is
  // freed.
  void abandon(at::cuda::CUDAGraph& graph) {
    try {
      graph.capture_end();
    } catch (const std::exception&) {
      try {
        allocator::endAllocateToPool(device_, pool_);
        allocator::releasePool(device_, pool_);
      } catch (const std::exception&) {  // capture_end() got as far as that
      }
    }
  }

  c10::DeviceIndex device_;
  at::cuda::MempoolId_t pool_;
  at::cuda::CUDAGraph unrolled_, single_;
};

}  // namespace
}  // namespace scalelaw

extern "C" __attribute__((visibility("default"))) scalelaw::StepGraph* scalelaw_capture_steps(
    const std::function<void()>& step, int device) {
  return new scalelaw::CapturedSteps(step, static_cast<c10::DeviceIndex>(device));
}
