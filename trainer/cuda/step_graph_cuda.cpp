// libscalelaw_graph.so: steps captured through LibTorch's CUDA half. See trainer/step_graph.h.
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>

#include <exception>
#include <map>
#include <memory>

#include "trainer/step_graph.h"

namespace scalelaw {
namespace {

namespace allocator = c10::cuda::CUDACachingAllocator;

// What all graphs of a device share while one of them lives. They run one after another and leave
// nothing in the memory, so that together they hold what the largest needs; and autograd and cuBLAS
// keep what belongs to a stream that something was warmed up or captured on.
struct GraphsOfDevice {
  at::cuda::MempoolId_t pool = at::cuda::graph_pool_handle();
  c10::cuda::CUDAStream stream;
};

std::shared_ptr<GraphsOfDevice> graphs_of(c10::DeviceIndex device) {
  // Weak: a pool that its last graph has released cannot be captured into again.
  static std::map<c10::DeviceIndex, std::weak_ptr<GraphsOfDevice>> all;
  std::shared_ptr<GraphsOfDevice> graphs = all[device].lock();
  if (!graphs) {
    graphs = std::make_shared<GraphsOfDevice>(
        GraphsOfDevice{.stream = c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device)});
    all[device] = graphs;
  }
  return graphs;
}

class CapturedSteps : public StepGraph {
 public:
  CapturedSteps(const std::function<void()>& step, c10::DeviceIndex device, int unrolled)
      : device_(device), in_unrolled_(unrolled), shared_(graphs_of(device)) {
    const c10::cuda::CUDAGuard on_device(device);
    c10::cuda::device_synchronize();
    {
      const c10::cuda::CUDAStreamGuard on_stream(shared_->stream);
      for (int i = 0; i < kWarmUpSteps; ++i) step();
      shared_->stream.synchronize();
      allocator::emptyCache();  // what the warm-up took belongs to that stream alone
      if (in_unrolled_ > 1) record(unrolled_, step, in_unrolled_);
      record(single_, step, 1);
    }
    c10::cuda::device_synchronize();
  }

  void replay(int64_t steps) override {
    for (; in_unrolled_ > 1 && steps >= in_unrolled_; steps -= in_unrolled_) unrolled_.replay();
    for (; steps > 0; --steps) single_.replay();
  }

 private:
  void record(at::cuda::CUDAGraph& graph, const std::function<void()>& step, int64_t steps) {
    // A checkpoint may be copied to the host meanwhile, by another thread.
    graph.capture_begin(shared_->pool, cudaStreamCaptureModeThreadLocal);
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
        allocator::endAllocateToPool(device_, shared_->pool);
        allocator::releasePool(device_, shared_->pool);
      } catch (const std::exception&) {  // capture_end() got as far as that
      }
    }
  }

  c10::DeviceIndex device_;
  int in_unrolled_;
  std::shared_ptr<GraphsOfDevice> shared_;
  at::cuda::CUDAGraph unrolled_, single_;
};

}  // namespace
}  // namespace scalelaw

extern "C" __attribute__((visibility("default"))) scalelaw::StepGraph* scalelaw_capture_steps(
    const std::function<void()>& step, int device, int unrolled) {
  return new scalelaw::CapturedSteps(step, static_cast<c10::DeviceIndex>(device), unrolled);
}
