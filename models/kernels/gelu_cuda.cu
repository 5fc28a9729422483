#include "models/kernels/column_sums_cuda.h"
#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"
#include "models/kernels/gelu_math.h"

namespace scalelaw::cuda {
namespace {

__device__ inline float bias_at(const DeviceRows& bias, int64_t r, int64_t column) {
  return bias.data == nullptr ? 0.0f : bias.data[r * bias.stride + column];
}

template <typename T>
__global__ void gelu_forward_kernel(GeluForwardArguments a) {
  const T* x = static_cast<const T*>(a.x);
  T* y = static_cast<T*>(a.y);
  visit_parts(a.replicas, a.rows, a.width, nullptr, [&](int64_t r, int64_t row, int64_t column) {
    const int64_t at = (r * a.rows + row) * a.width + column;
    const float value = gelu(as_float(x[at]) + bias_at(a.bias, r, column)).value;
    round_to(value, y[at]);
    return value;
  });
}

template <typename T>
__global__ void gelu_backward_kernel(GeluBackwardArguments a) {
  T* x = static_cast<T*>(a.x);
  const T* y_gradient = static_cast<const T*>(a.y_gradient);
  visit_parts(a.replicas, a.rows, a.width, a.partial_sums,
              [&](int64_t r, int64_t row, int64_t column) {
                const int64_t at = (r * a.rows + row) * a.width + column;
                const float slope = gelu(as_float(x[at]) + bias_at(a.bias, r, column)).slope;
                const float gradient = slope * as_float(y_gradient[at]);
                round_to(gradient, x[at]);
                return gradient;
              });
}

}  // namespace

int gelu_forward(const GeluForwardArguments& a, void* stream) {
  return by_type(a.type, [&](auto element) {
    return launch(gelu_forward_kernel<decltype(element)>,
                  grid_of_parts(a.replicas, a.rows, a.width), dim3(kSumThreads), stream, a);
  });
}

int gelu_backward(const GeluBackwardArguments& a, void* stream) {
  const int status = by_type(a.type, [&](auto element) {
    return launch(gelu_backward_kernel<decltype(element)>,
                  grid_of_parts(a.replicas, a.rows, a.width), dim3(kSumThreads), stream, a);
  });
  if (status != 0 || a.partial_sums == nullptr) return status;
  return add_parts(a.partial_sums, a.width, row_parts(a.rows), a.bias_gradient, a.replicas, a.width,
                   stream);
}

}  // namespace scalelaw::cuda
