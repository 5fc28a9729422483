#include "tests/support/tensor_memory.h"

#include <c10/core/CPUAllocator.h>

#include <algorithm>
#include <unordered_map>

namespace scalelaw {
namespace {

struct Counter {
  std::unordered_map<void*, int64_t> sizes;
  int64_t held = 0, peak = 0;
};

// Never destroyed: tensors may be freed after it.
Counter& counter() {
  static auto* const only = new Counter;
  return *only;
}

// The one that was there before.
c10::Allocator& beneath() {
  static c10::Allocator* const before = c10::GetCPUAllocator();
  return *before;
}

void release(void* data) {
  const auto found = counter().sizes.find(data);
  if (found != counter().sizes.end()) {
    counter().held -= found->second;
    counter().sizes.erase(found);
  }
  beneath().raw_deleter()(data);
}

class CountingAllocator : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    void* data = beneath().allocate(bytes).release_context();
    if (data != nullptr) {
      counter().sizes[data] = static_cast<int64_t>(bytes);
      counter().held += static_cast<int64_t>(bytes);
      counter().peak = std::max(counter().peak, counter().held);
    }
    return {data, data, &release, at::Device(at::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* to, const void* from, std::size_t count) const override {
    default_copy_data(to, from, count);
  }
};

}  // namespace

TensorMemory& tensor_memory() {
  static TensorMemory memory;
  static CountingAllocator allocator;
  beneath();
  c10::SetCPUAllocator(&allocator, /*priority=*/255);
  return memory;
}

int64_t TensorMemory::held_bytes() const {
  return counter().held;
}
int64_t TensorMemory::peak_bytes() const {
  return counter().peak;
}
void TensorMemory::forget_peak() {
  counter().peak = counter().held;
}

}  // namespace scalelaw
