# scalelaw_warnings: what every target of ours compiles with. Warnings are errors.
add_library(scalelaw_warnings INTERFACE)
target_compile_options(scalelaw_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # What only the optimiser sees, in std::string and std::vector<bool>: false alarms that differ from
  # one g++ to the next (GCC bugs 105651 in 12, 110498 in 13). The asan preset finds the true ones.
  target_compile_options(scalelaw_warnings INTERFACE
    -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread)
endif()
if(SCALELAW_SANITIZE)
  target_compile_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined)
  if(SCALELAW_FUZZ)
    target_compile_options(scalelaw_warnings INTERFACE -fsanitize=fuzzer-no-link)
  endif()
endif()
