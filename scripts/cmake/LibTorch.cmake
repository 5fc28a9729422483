# LibTorch without find_package(Torch), which ignores CMAKE_CUDA_ARCHITECTURES, takes seconds and
# leaves stray entries in RUNPATH.
#
#   torch_headers   includes
#   torch_cpu       torch_headers + libtorch_cpu, libc10. No program links the CUDA half: that is
#                   350 MB more to do nothing, so it is loaded where a GPU is used
#                   (trainer/device.h)
#
# LibTorch is, in this order: SCALELAW_TORCH_DIR; what scripts/setup.sh chose (.venv/torch_dir);
# the torch of .venv, found without importing it, since the CPU set-up cannot be imported.
set(torch_version_known 2.11)

set(chosen_file ${PROJECT_SOURCE_DIR}/.venv/torch_dir)
set(venv_python ${PROJECT_SOURCE_DIR}/.venv/bin/python)
if(SCALELAW_TORCH_DIR)
  set(torch_dir ${SCALELAW_TORCH_DIR})
elseif(EXISTS ${chosen_file})
  file(STRINGS ${chosen_file} torch_dir LIMIT_COUNT 1)
  cmake_path(ABSOLUTE_PATH torch_dir BASE_DIRECTORY ${PROJECT_SOURCE_DIR}/.venv)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${chosen_file})
elseif(EXISTS ${venv_python})
  execute_process(
    COMMAND ${venv_python} -c
      "import importlib.util, os; s = importlib.util.find_spec('torch'); print(os.path.dirname(s.origin) if s else '')"
    OUTPUT_VARIABLE torch_dir OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
set(torch_lib ${torch_dir}/lib)
if(NOT torch_dir OR NOT EXISTS ${torch_lib}/libtorch_cpu.so OR NOT EXISTS ${torch_dir}/include/ATen)
  message(FATAL_ERROR "No LibTorch in '${torch_dir}'. Run scripts/setup.sh, "
    "or pass -DSCALELAW_TORCH_DIR=FOLDER (holding include/ and lib/), "
    "or -DSCALELAW_TORCH=OFF for the programs that need none.")
endif()

set(torch_version "")
file(STRINGS ${torch_dir}/include/torch/headeronly/version.h version_lines
  REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
foreach(line IN LISTS version_lines)
  string(REGEX MATCH "[0-9]+$" number ${line})
  list(APPEND torch_version ${number})
endforeach()
list(JOIN torch_version . torch_version)
message(STATUS "LibTorch ${torch_version}: ${torch_dir}")
if(NOT torch_version MATCHES "^${torch_version_known}\\.")
  message(WARNING "scalelaw is tested with LibTorch ${torch_version_known}, this is ${torch_version}.")
endif()

# The wheel keeps NVIDIA's libraries beside torch; an unpacked LibTorch has its own in lib/.
cmake_path(GET torch_dir PARENT_PATH torch_parent)
set(nvidia ${torch_parent}/nvidia)
set(torch_library_folders ${torch_lib})
foreach(part cu13 cudnn nccl cusparselt nvshmem)
  if(EXISTS ${nvidia}/${part}/lib)
    list(APPEND torch_library_folders ${nvidia}/${part}/lib)
  endif()
endforeach()
list(JOIN torch_library_folders : torch_search_path)

# The wheel has its own fmt, newer than the one that Debian's spdlog was built with, and it must not
# hide that: a folder that holds Debian's alone goes first.
set(header_shim ${PROJECT_BINARY_DIR}/header_shim)
file(MAKE_DIRECTORY ${header_shim})
if(EXISTS /usr/include/fmt AND NOT EXISTS ${header_shim}/fmt)
  file(CREATE_LINK /usr/include/fmt ${header_shim}/fmt SYMBOLIC)
endif()
# What c10d's Gloo header asks for and the wheel lacks.
foreach(header algorithm common/error context rendezvous/store transport/device)
  file(CONFIGURE OUTPUT ${header_shim}/gloo/${header}.h
    CONTENT "#include \"${PROJECT_SOURCE_DIR}/trainer/parallel/gloo_types.h\"\n")
endforeach()

# INTERFACE_SYSTEM_INCLUDE_DIRECTORIES alone would add nothing to an imported target; its
# INTERFACE_INCLUDE_DIRECTORIES are system ones already.
add_library(torch_headers INTERFACE IMPORTED GLOBAL)
set_property(TARGET torch_headers PROPERTY INTERFACE_INCLUDE_DIRECTORIES
  ${header_shim} ${torch_dir}/include ${torch_dir}/include/torch/csrc/api/include)
# Some of its classes have another layout without NDEBUG, and its libraries are built with it.
set_property(TARGET torch_headers PROPERTY INTERFACE_COMPILE_DEFINITIONS
  $<$<NOT:$<CONFIG:Release>>:NDEBUG>)

# --no-as-needed: what registers itself when loaded is used by no symbol. The run path is stated
# here, so that CMake's own, which would repeat it, is off for these libraries.
add_library(torch_cpu INTERFACE IMPORTED GLOBAL)
set_property(TARGET torch_cpu PROPERTY INTERFACE_LINK_LIBRARIES torch_headers
  ${torch_lib}/libtorch_cpu.so ${torch_lib}/libc10.so)
set_property(TARGET torch_cpu PROPERTY INTERFACE_LINK_OPTIONS
  LINKER:--no-as-needed LINKER:-rpath-link,${torch_search_path} LINKER:-rpath,${torch_search_path})
