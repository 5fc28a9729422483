# How a room states its parts: explicit sources, one call a target.
#   scalelaw_library(NAME SOURCES a.cpp … DEPENDS target …)
#   scalelaw_program(NAME SOURCES a_main.cpp DEPENDS target …)
#   scalelaw_test(NAME SOURCES a_test.cpp … DEPENDS target …)      GoogleTest, discovered by ctest;
#     PREFIX of the tests' names, for a source that is in two programs

function(scalelaw_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PUBLIC ${ARG_DEPENDS} PRIVATE scalelaw_warnings ${ARG_PRIVATE_DEPENDS})
endfunction()

function(scalelaw_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} scalelaw_warnings)
endfunction()

function(scalelaw_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;PREFIX" "SOURCES;DEPENDS;LABELS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
    if(SCALELAW_SANITIZE)  # statistics by simulation take up to 20 times as long there
      set(ARG_TIMEOUT 400)
    endif()
  endif()
  scalelaw_program(${name} SOURCES ${ARG_SOURCES} DEPENDS ${ARG_DEPENDS} GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_compile_definitions(${name} PRIVATE
    SCALELAW_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SCALELAW_BIN_DIR="${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
    TEST_PREFIX "${ARG_PREFIX}"
    PROPERTIES TIMEOUT ${ARG_TIMEOUT}
    ENVIRONMENT "OMP_NUM_THREADS=1;OMP_WAIT_POLICY=PASSIVE" LABELS "${ARG_LABELS}")
endfunction()
