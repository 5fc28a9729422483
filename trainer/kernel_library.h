// libscalelaw_cuda.so: the kernels of models/kernels/device_kernels.h, loaded where a GPU is used.
#pragma once

#include <c10/core/Device.h>

#include <filesystem>
#include <string>

namespace scalelaw {

// lib/ beside the folder of this program: build/release/lib for build/release/bin.
std::filesystem::path kernel_library_file();

// What is said where the kernels of a chosen device are not there, in one line; "" where they are,
// and on a CPU, which needs none. Loads them.
std::string missing_kernels(at::Device device);

// Loads the library and installs its kernels. Else the reason, in one line, and layers go on with
// LibTorch's operators: the same numbers within tolerance, more slowly. Call when LibTorch's CUDA
// half is loaded, whose libcudart the library shares.
std::string load_kernel_library(const std::filesystem::path& file = kernel_library_file());

}  // namespace scalelaw
