# Finds LibTorch without find_package(Torch), which ignores CMAKE_CUDA_ARCHITECTURES and leaves
# stray entries in RUNPATH. Sources: SCALELAW_TORCH_DIR (a folder with include/ and lib/), else the
# torch package of .venv, found without importing it (the CPU set-up cannot import torch).
#
#   torch_headers   includes and definitions
#   torch_cpu       torch_headers + libtorch_cpu, libc10
if(NOT SCALELAW_TORCH_DIR)
  set(venv_python ${PROJECT_SOURCE_DIR}/.venv/bin/python)
  if(EXISTS ${venv_python})
    execute_process(
      COMMAND ${venv_python} -c
        "import importlib.util, os; s = importlib.util.find_spec('torch'); print(os.path.dirname(s.origin) if s else '')"
      OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE)
  endif()
  if(NOT torch_dir)
    message(FATAL_ERROR "LibTorch not found. Run scripts/setup.sh, or pass -DSCALELAW_TORCH_DIR=FOLDER")
  endif()
else()
  set(torch_dir ${SCALELAW_TORCH_DIR})
endif()
set(torch_lib ${torch_dir}/lib)
get_filename_component(torch_parent ${torch_dir} DIRECTORY)
message(STATUS "LibTorch: ${torch_dir}")

# The wheel ships its own fmt, newer than the one Debian's spdlog was built with; a shim folder
# holding Debian's alone goes first.
set(fmt_shim ${PROJECT_BINARY_DIR}/fmt_shim)
file(MAKE_DIRECTORY ${fmt_shim})
if(EXISTS /usr/include/fmt AND NOT EXISTS ${fmt_shim}/fmt)
  file(CREATE_LINK /usr/include/fmt ${fmt_shim}/fmt SYMBOLIC)
endif()

add_library(torch_headers INTERFACE IMPORTED GLOBAL)
set_property(TARGET torch_headers PROPERTY INTERFACE_INCLUDE_DIRECTORIES ${fmt_shim})
set_property(TARGET torch_headers PROPERTY INTERFACE_COMPILE_OPTIONS
  "SHELL:-isystem ${torch_dir}/include" "SHELL:-isystem ${torch_dir}/include/torch/csrc/api/include")

add_library(torch_cpu INTERFACE IMPORTED GLOBAL)
set_property(TARGET torch_cpu PROPERTY INTERFACE_LINK_LIBRARIES torch_headers
  ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
set(torch_rpath ${torch_lib} ${torch_parent}/nvidia/cu13/lib)
set_property(TARGET torch_cpu PROPERTY INTERFACE_LINK_OPTIONS
  "LINKER:--no-as-needed" "LINKER:-rpath-link,${torch_lib}:${torch_parent}/nvidia/cu13/lib"
  "LINKER:-rpath,${torch_lib}:${torch_parent}/nvidia/cu13/lib")
