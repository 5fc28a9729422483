#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"

namespace scalelaw::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kThreads = kWarps * kWarp;

// One block a part of a row.
__global__ void sum_squares(GradientNormArguments a) {
  const int64_t parts = norm_parts(a.row_length);
  for (int64_t r = blockIdx.y; r < a.replicas; r += gridDim.y) {
    for (int64_t part = blockIdx.x; part < parts; part += gridDim.x) {
      const int64_t begin = part * kElementsPerNormPart;
      const int64_t end = smaller(begin + kElementsPerNormPart, a.row_length);
      const float* row = a.gradients + r * a.row_length;
      float sum = 0.0f;
      for (int64_t i = begin + threadIdx.x; i < end; i += kThreads) sum += row[i] * row[i];
      sum = sum_over_block<kWarps>(sum);
      if (threadIdx.x == 0) a.partial_sums[r * parts + part] = sum;
    }
  }
}

// One block a row.
__global__ void finish_norms(GradientNormArguments a) {
  const int64_t parts = norm_parts(a.row_length);
  for (int64_t r = blockIdx.x; r < a.replicas; r += gridDim.x) {
    float sum = 0.0f;
    for (int64_t part = threadIdx.x; part < parts; part += kThreads) {
      sum += a.partial_sums[r * parts + part];
    }
    sum = sum_over_block<kWarps>(sum);
    if (threadIdx.x == 0) a.norms[r] = sqrtf(sum);
  }
}

}  // namespace

int gradient_norms(const GradientNormArguments& a, void* stream) {
  const int64_t parts = norm_parts(a.row_length);
  const int status = launch(sum_squares, grid_for(parts, a.replicas), dim3(kThreads), stream, a);
  if (status != 0) return status;
  return launch(finish_norms, grid_for(a.replicas), dim3(kThreads), stream, a);
}

}  // namespace scalelaw::cuda
