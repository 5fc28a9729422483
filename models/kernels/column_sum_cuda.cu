#include "models/kernels/column_sums_cuda.h"
#include "models/kernels/cuda_launch.h"
#include "models/kernels/cuda_table.h"

namespace scalelaw::cuda {
namespace {

struct Parts {
  const float* sums;
  int64_t stride, count;
  DeviceRows sum;
  int64_t replicas, width;
};

__global__ void add_parts_kernel(Parts p) {
  for (int64_t r = blockIdx.y; r < p.replicas; r += gridDim.y) {
    for (int64_t tile = blockIdx.x; tile < ceil_divide(p.width, kWarp); tile += gridDim.x) {
      const int64_t column = tile * kWarp + threadIdx.x % kWarp;
      const float* of_replica = p.sums + r * p.count * p.stride;
      float sum = 0.0f;
      for (int64_t part = threadIdx.x / kWarp; part < p.count; part += kSumLanes) {
        if (column < p.width) sum += of_replica[part * p.stride + column];
      }
      sum = over_lanes(sum);
      if (threadIdx.x < kWarp && column < p.width) p.sum.data[r * p.sum.stride + column] += sum;
    }
  }
}

template <typename T>
__global__ void column_sum_kernel(ColumnSumArguments a) {
  const T* x = static_cast<const T*>(a.x);
  visit_parts(a.replicas, a.rows, a.width, a.partial_sums,
              [&](int64_t r, int64_t row, int64_t column) {
                return as_float(x[(r * a.rows + row) * a.width + column]);
              });
}

}  // namespace

int add_parts(const float* partial_sums, int64_t part_stride, int64_t parts, DeviceRows sum,
              int64_t replicas, int64_t width, void* stream) {
  return launch(add_parts_kernel, grid_for(ceil_divide(width, kWarp), replicas), dim3(kSumThreads),
                stream, {partial_sums, part_stride, parts, sum, replicas, width});
}

int column_sum(const ColumnSumArguments& a, void* stream) {
  const int status = by_type(a.type, [&](auto element) {
    return launch(column_sum_kernel<decltype(element)>, grid_of_parts(a.replicas, a.rows, a.width),
                  dim3(kSumThreads), stream, a);
  });
  if (status != 0) return status;
  return add_parts(a.partial_sums, a.width, row_parts(a.rows), a.sum, a.replicas, a.width, stream);
}

}  // namespace scalelaw::cuda
