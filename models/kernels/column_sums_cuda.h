// Sums over rows in two steps, without atomics: of parts of kRowsPerPart rows, then of the parts.
// For *_cuda.cu files only.
#pragma once

#include "models/kernels/cuda_launch.h"

namespace scalelaw::cuda {

constexpr int kSumLanes = 8;                    // rows that a block visits side by side
constexpr int kSumThreads = kSumLanes * kWarp;  // one warp a lane, one column a thread of it

// The sums that the lanes of a block have made of one column each, added in the lanes' order; given
// to the first lane. Every thread must call.
__device__ inline float over_lanes(float sum) {
  __shared__ float of_lane[kSumLanes][kWarp];
  __syncthreads();  // everyone has read what an earlier call left
  of_lane[threadIdx.x / kWarp][threadIdx.x % kWarp] = sum;
  __syncthreads();
  float total = of_lane[0][threadIdx.x % kWarp];
  for (int lane = 1; lane < kSumLanes; ++lane) total += of_lane[lane][threadIdx.x % kWarp];
  return total;
}

// visit(replica, row, column) is called once for every element and gives the number to add into
// partial_sums [R, parts, width] (null: no sums). Launch with kSumThreads and grid_of_parts().
template <typename Visit>
__device__ inline void visit_parts(int64_t replicas, int64_t rows, int64_t width,
                                   float* partial_sums, Visit visit) {
  const int64_t parts = row_parts(rows), tiles = ceil_divide(width, kWarp);
  for (int64_t r = blockIdx.y; r < replicas; r += gridDim.y) {
    for (int64_t item = blockIdx.x; item < parts * tiles; item += gridDim.x) {
      const int64_t part = item / tiles, column = item % tiles * kWarp + threadIdx.x % kWarp;
      const int64_t begin = part * kRowsPerPart, end = smaller(begin + kRowsPerPart, rows);
      float sum = 0.0f;
      for (int64_t row = begin + threadIdx.x / kWarp; row < end; row += kSumLanes) {
        if (column < width) sum += visit(r, row, column);
      }
      if (partial_sums == nullptr) continue;
      sum = over_lanes(sum);
      if (threadIdx.x < kWarp && column < width) {
        partial_sums[(r * parts + part) * width + column] = sum;
      }
    }
  }
}

inline dim3 grid_of_parts(int64_t replicas, int64_t rows, int64_t width) {
  return grid_for(row_parts(rows) * ceil_divide(width, kWarp), replicas);
}

// sum [R, width] += sum over parts of partial_sums [R, parts, part_stride], from its first column.
int add_parts(const float* partial_sums, int64_t part_stride, int64_t parts, DeviceRows sum,
              int64_t replicas, int64_t width, void* stream);

}  // namespace scalelaw::cuda
