// What the CUDA kernels share: launching, warps, sums over a block. For *_cuda.cu files only. The
// tests compile the same files as C++ for the CPU, where tests/support/cuda_emulation.h stands in
// for CUDA.
#pragma once

#if defined(__CUDACC__)
#include <cuda_runtime.h>
#elif !defined(SCALELAW_EMULATES_CUDA)
#error "a file of CUDA kernels compiled as C++ without tests/support/cuda_emulation.h"
#endif

#include <algorithm>
#include <cstdint>

#include "models/kernels/bfloat16.h"
#include "models/kernels/device_operands.h"

namespace scalelaw::cuda {

constexpr int kWarp = 32;
constexpr int64_t kMaxGridRows = 65535;           // of a grid's y and z
constexpr int64_t kMaxBlocks = int64_t{1} << 20;  // of its x: what is left is taken in strides

constexpr int64_t ceil_divide(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
__device__ inline int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

// Blocks in x for `work` units, and in y for `rows`; the kernel strides over what does not fit.
inline dim3 grid_for(int64_t work, int64_t rows = 1) {
  return dim3(static_cast<unsigned>(std::min(work, kMaxBlocks)),
              static_cast<unsigned>(std::min(rows, kMaxGridRows)));
}

#if defined(__CUDACC__)
// Of the kernel's parameters, not deduced from the arguments.
template <typename T>
struct Given {
  using Type = T;
};
// With so many bytes of dynamic_shared() a block, which a kernel must ask for above 48 KiB.
template <typename... Parameters>
int launch_sharing(void (*kernel)(Parameters...), dim3 grid, dim3 block, int shared_bytes,
                   void* stream, typename Given<Parameters>::Type... arguments) {
  if (shared_bytes > 0) {
    const cudaError_t status =
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
    if (status != cudaSuccess) return static_cast<int>(status);
  }
  kernel<<<grid, block, static_cast<size_t>(shared_bytes), static_cast<cudaStream_t>(stream)>>>(
      arguments...);
  return static_cast<int>(cudaGetLastError());
}
template <typename... Parameters>
int launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, void* stream,
           typename Given<Parameters>::Type... arguments) {
  return launch_sharing(kernel, grid, block, 0, stream, arguments...);
}

// Of a block on the current GPU, at most; 0 where that cannot be learned.
inline int most_shared_bytes() {
  int device = 0, bytes = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  const cudaError_t status =
      cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  return status == cudaSuccess ? bytes : 0;
}

__device__ inline void* dynamic_shared() {
  extern __shared__ float4 of_block[];
  return of_block;
}
#endif

// visit(float{}) or visit(BFloat16{}).
template <typename Visit>
int by_type(ElementType type, Visit visit) {
  return type == ElementType::kFloat ? visit(float{}) : visit(BFloat16{});
}

// A thread's first element along x and the distance to its next.
__device__ inline int64_t first_x() {
  return int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
}
__device__ inline int64_t step_x() {
  return int64_t{gridDim.x} * blockDim.x;
}

// Of the lane whose number differs in the bit `distance`. Every lane of the warp must call.
__device__ inline float exchanged(float value, int distance) {
  return __shfl_xor_sync(0xffffffffu, value, distance);
}
__device__ inline int64_t exchanged(int64_t value, int distance) {
  return __shfl_xor_sync(0xffffffffu, static_cast<long long>(value), distance);
}

// A barrier of a block of kWarps full warps.
template <int kWarps>
__device__ inline void together() {
  kWarps > 1 ? __syncthreads() : __syncwarp();
}

// combine() over all threads of a block of kWarps full warps, given to every thread of it, in an
// order that depends on nothing but kWarps. Every thread must call. Value has
// exchanged().
template <int kWarps, typename Value, typename Combine>
__device__ inline Value over_block(Value value, Combine combine) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    value = combine(value, exchanged(value, distance));
  }
  if constexpr (kWarps > 1) {
    __shared__ Value of_warp[kWarps];
    __syncthreads();  // everyone has read what an earlier call left
    if (threadIdx.x % kWarp == 0) of_warp[threadIdx.x / kWarp] = value;
    __syncthreads();
    value = of_warp[0];
    for (int warp = 1; warp < kWarps; ++warp) value = combine(value, of_warp[warp]);
  }
  return value;
}

template <int kWarps>
__device__ inline float sum_over_block(float value) {
  return over_block<kWarps>(value, [](float a, float b) { return a + b; });
}

}  // namespace scalelaw::cuda
