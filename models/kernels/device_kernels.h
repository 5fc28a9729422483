// The row kernels of a GPU as a table of plain functions: no LibTorch, no CUDA header. They live in
// a library of their own, libscalelaw_cuda.so, that no program links: trainer/device.cpp loads it
// where a GPU is used and installs its table.
//
// Every function queues its work on `stream` (a cudaStream_t) for all R replicas and returns at
// once: 0, or the error code of the launch. Nothing is read back, nothing allocated, no sum made
// with atomics: the same operands give the same bits. Matrices are dense [R, rows, width] unless
// said otherwise; a parameter or its gradient has its elements dense and its replicas `stride`
// apart. Sizes are at least 1. Pointers are to the device's memory; null where "null: …" is said.
#pragma once

#include <cstdint>

#include "models/kernels/device_arguments.h"
#include "models/kernels/lstm_arguments.h"

namespace scalelaw {

// Changed with every change of a signature or of a structure of the arguments.
inline constexpr int32_t kDeviceKernelsVersion = 4;

template <typename Arguments>
using DeviceKernel = int (*)(const Arguments& arguments, void* stream);

struct DeviceKernels {
  int32_t version = kDeviceKernelsVersion;
  int32_t bytes = sizeof(DeviceKernels);
  bool emulated = false;  // on the CPU, in the CPU's memory: tests/support/cuda_emulation.h
  const char* (*error_text)(int code) = nullptr;
  int (*can_run)() = nullptr;  // 0, or why the current GPU cannot run them

  DeviceKernel<AdamWArguments> adamw = nullptr;
  DeviceKernel<GradientNormArguments> gradient_norms = nullptr;
  DeviceKernel<CrossEntropyArguments> cross_entropy = nullptr;
  DeviceKernel<NormForwardArguments> norm_forward = nullptr;
  DeviceKernel<NormBackwardArguments> norm_backward = nullptr;
  DeviceKernel<GeluForwardArguments> gelu_forward = nullptr;
  DeviceKernel<GeluBackwardArguments> gelu_backward = nullptr;
  DeviceKernel<ColumnSumArguments> column_sum = nullptr;
  DeviceKernel<EmbeddingForwardArguments> embedding_forward = nullptr;
  DeviceKernel<EmbeddingBackwardArguments> embedding_backward = nullptr;
  DeviceKernel<RotaryArguments> rotary = nullptr;
  DeviceKernel<LstmForwardArguments> lstm_forward = nullptr;
  DeviceKernel<LstmBackwardArguments> lstm_backward = nullptr;
  int64_t (*widest_persistent_lstm)() = nullptr;  // of the current GPU, its kernels' widths to that
  DeviceKernel<PersistentLstmForwardArguments> persistent_lstm_forward = nullptr;
  DeviceKernel<PersistentLstmBackwardArguments> persistent_lstm_backward = nullptr;
};

// The library's one symbol, kDeviceKernelsSymbol, is a function of this type.
using DeviceKernelsEntry = const DeviceKernels* (*)();
inline constexpr char kDeviceKernelsSymbol[] = "scalelaw_device_kernels";

// Null until installed; installed once, before the first model works on the device.
const DeviceKernels* device_kernels();
void install_device_kernels(const DeviceKernels* kernels);

}  // namespace scalelaw
