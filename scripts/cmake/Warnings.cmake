# scalelaw_warnings: what every target of ours compiles with. Warnings are errors.
add_library(scalelaw_warnings INTERFACE)
target_compile_options(scalelaw_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-qual -Werror
  # g++ 12 sees overlaps in std::string that are none (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
if(SCALELAW_SANITIZE)
  target_compile_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined
                         -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(scalelaw_warnings INTERFACE -fsanitize=address,undefined)
endif()
