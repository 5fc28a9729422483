// How many bytes of tensors a process holds on the CPU, counted at LibTorch's allocator.
#pragma once

#include <cstdint>

namespace scalelaw {

class TensorMemory {
 public:
  int64_t held_bytes() const;
  int64_t peak_bytes() const;  // since the last forget_peak()
  void forget_peak();
};

// Counts from the first call to the end of the process what is allocated meanwhile. For tests on
// one thread.
TensorMemory& tensor_memory();

}  // namespace scalelaw
