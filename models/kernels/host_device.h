// Arithmetic that a CPU kernel and its CUDA twin both call is written once, as functions marked
// SCALELAW_HOST_DEVICE.
#pragma once

#if defined(__CUDACC__)
#define SCALELAW_HOST_DEVICE __host__ __device__ __forceinline__
#else
#define SCALELAW_HOST_DEVICE [[gnu::always_inline]] inline
#endif
