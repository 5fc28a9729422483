# scalelaw_warnings: what every target of ours compiles with. Warnings are errors.
add_library(scalelaw_warnings INTERFACE)
target_compile_options(scalelaw_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on "text" + std::string (GCC bug 105651, mended in 13).
  target_compile_options(scalelaw_warnings INTERFACE -Wno-restrict)
endif()
if(SCALELAW_SANITIZE)
  target_compile_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined)
endif()
