// Tells one listener of a process that a layer has written into a gradient, so that what is done
// with gradients can begin before backward ends. Without a listener it is one load and a branch.
#pragma once

#include <ATen/core/Tensor.h>

#include <atomic>

namespace scalelaw {

class GradientListener {
 public:
  virtual ~GradientListener() = default;
  // In backward, on the thread and stream that wrote. `gradient` is the view that a layer was
  // given, or anything else that these functions add to.
  virtual void gradient_written(const at::Tensor& gradient) = 0;
};

inline std::atomic<GradientListener*> gradient_listener{nullptr};

// What every layer calls behind each write into a parameter's gradient.
inline void gradient_written(const at::Tensor& gradient) {
  GradientListener* listener = gradient_listener.load(std::memory_order_relaxed);
  if (listener != nullptr) listener->gradient_written(gradient);
}

}  // namespace scalelaw
