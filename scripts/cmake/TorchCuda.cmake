# The CUDA half of the wheel, for targets that call CUDA at link time; see LibTorch.cmake.
# Without an nvcc as new as the wheel's CUDA this says so and adds nothing: the CPU build is whole.
find_program(SCALELAW_NVCC nvcc HINTS ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT SCALELAW_NVCC)
  message(STATUS "CUDA parts: not built, no nvcc")
  return()
endif()
execute_process(COMMAND ${SCALELAW_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" ignored "${nvcc_says}")
set(nvcc_version "${CMAKE_MATCH_1}")
if(NOT nvcc_version VERSION_GREATER_EQUAL 13.0)
  message(STATUS "CUDA parts: not built, nvcc ${nvcc_version} is older than the wheel's CUDA 13.0")
  return()
endif()

# Before the language is enabled: one libcudart in the process, the wheel's; machine code for the
# data-centre chips that the kernels are written for.
set(CMAKE_CUDA_COMPILER ${SCALELAW_NVCC})
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90a-real")
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
set(CMAKE_CUDA_STANDARD 20)
enable_language(CUDA)

# cuda_runtime_api.h of the wheel includes crt/, which only the toolkit has.
cmake_path(GET SCALELAW_NVCC PARENT_PATH nvcc_folder)
file(REAL_PATH ${nvcc_folder}/../include toolkit_include)
if(EXISTS ${toolkit_include}/crt AND NOT EXISTS ${header_shim}/crt)
  file(CREATE_LINK ${toolkit_include}/crt ${header_shim}/crt SYMBOLIC)
endif()

add_library(torch_cuda INTERFACE IMPORTED GLOBAL)
set_property(TARGET torch_cuda PROPERTY INTERFACE_INCLUDE_DIRECTORIES
  ${nvidia}/cu13/include ${nvidia}/cudnn/include ${nvidia}/nccl/include)
set_property(TARGET torch_cuda PROPERTY INTERFACE_LINK_LIBRARIES torch_cpu
  ${torch_lib}/libtorch_cuda.so ${torch_lib}/libc10_cuda.so ${nvidia}/cu13/lib/libcudart.so.13
  ${nvidia}/cu13/lib/libcublas.so.13 ${nvidia}/cu13/lib/libcublasLt.so.13
  ${nvidia}/cudnn/lib/libcudnn.so.9 ${nvidia}/nccl/lib/libnccl.so.2)
set(SCALELAW_CUDA TRUE)
message(STATUS "CUDA parts: nvcc ${nvcc_version} for ${CMAKE_CUDA_ARCHITECTURES}")
