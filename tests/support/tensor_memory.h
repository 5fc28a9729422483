// How many bytes of tensors a process holds on the CPU, counted at LibTorch's allocator.
#pragma once

#include <cstdint>

namespace scalelaw {

// Counts from its construction to the end of the process. One a process, made before the tensors
// that it is to count; on one thread.
class TensorMemory {
 public:
  TensorMemory();

  int64_t held_bytes() const;
  int64_t peak_bytes() const;  // since the last forget_peak()
  void forget_peak();
};

}  // namespace scalelaw
