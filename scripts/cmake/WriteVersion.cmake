# Run at build time by Version.cmake. Outside a git checkout the commit is "unknown".
set(commit unknown)
set(dirty false)
find_program(git git)
if(git)
  execute_process(COMMAND ${git} -C ${SOURCE_DIR} rev-parse --verify HEAD
    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status ERROR_QUIET)
  execute_process(COMMAND ${git} -C ${SOURCE_DIR} rev-parse --show-toplevel
    OUTPUT_VARIABLE top OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  file(REAL_PATH ${SOURCE_DIR} source_path)
  # A copy inside somebody else's repository is not at that repository's commit.
  if(status EQUAL 0 AND top STREQUAL source_path)
    set(commit ${head})
    # Compiled sources alone: a changed page of text makes no other program.
    execute_process(
      COMMAND ${git} -C ${SOURCE_DIR} status --porcelain --untracked-files=no --
              CMakeLists.txt models trainer sweeps analysis scripts/cmake
      OUTPUT_VARIABLE changes ERROR_QUIET)
    if(changes)
      set(dirty true)
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[#include "trainer/version.h"

namespace scalelaw {

BuildVersion build_version() { return {"@VERSION@", "@commit@", @dirty@}; }

}  // namespace scalelaw
]])
