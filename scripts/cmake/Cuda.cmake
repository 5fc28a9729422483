# The language CUDA, for libscalelaw_cuda (models/CMakeLists.txt), whose kernels know nothing of
# LibTorch: so they are built whichever LibTorch is here, and a machine without a GPU finds what
# would not compile. Without an nvcc as new as LibTorch's CUDA this says so and adds nothing.
#
#   SCALELAW_NVCC   which nvcc; default: that of .venv, which scripts/setup.sh puts there for a GPU and
#                   for --checks where none else is; CUDA_HOME, PATH, /usr/local/cuda
#   SCALELAW_CUDA   TRUE when CUDA is a language of this build
set(SCALELAW_CUDA FALSE)
file(GLOB venv_cuda ${PROJECT_SOURCE_DIR}/.venv/lib/python3.*/site-packages/nvidia/cu13)
find_program(SCALELAW_NVCC nvcc HINTS ${venv_cuda} ENV CUDA_HOME PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(NOT SCALELAW_NVCC)
  message(STATUS "CUDA kernels: not built, no nvcc")
  return()
endif()
execute_process(COMMAND ${SCALELAW_NVCC} --version OUTPUT_VARIABLE nvcc_says ERROR_QUIET)
string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" ignored "${nvcc_says}")
set(nvcc_version "${CMAKE_MATCH_1}")
if(NOT nvcc_version VERSION_GREATER_EQUAL 13.0 OR NOT nvcc_version VERSION_LESS 14.0)
  message(STATUS "CUDA kernels: not built, nvcc ${nvcc_version} is not of LibTorch's CUDA 13")
  return()
endif()
# One that cannot compile (another host compiler, half an installation) would end the configuration.
set(nvcc_probe ${PROJECT_BINARY_DIR}/nvcc_probe.cu)
file(WRITE ${nvcc_probe} "__global__ void probe() {}\n")
execute_process(COMMAND ${SCALELAW_NVCC} -std=c++17 -c ${nvcc_probe} -o ${nvcc_probe}.o
  RESULT_VARIABLE nvcc_status OUTPUT_QUIET ERROR_QUIET)
if(NOT nvcc_status EQUAL 0)
  message(STATUS "CUDA kernels: not built, ${SCALELAW_NVCC} cannot compile ${nvcc_probe}")
  return()
endif()

# Before the language is enabled: one libcudart in the process, LibTorch's; machine code for the
# data-centre chips that the kernels are written for.
set(CMAKE_CUDA_COMPILER ${SCALELAW_NVCC})
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES "80-real;90a-real")
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
set(CMAKE_CUDA_STANDARD 17)  # the newest that CMake 3.25 knows of nvcc
if(CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CMAKE_CXX_COMPILER_LAUNCHER})
endif()
enable_language(CUDA)
set(SCALELAW_CUDA TRUE)
message(STATUS "CUDA kernels: nvcc ${nvcc_version} for ${CMAKE_CUDA_ARCHITECTURES}")
