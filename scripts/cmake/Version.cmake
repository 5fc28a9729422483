# target `version` (trainer/version.h): program version, git commit and whether the tree differed
# from it. Looked up at every build; the file is rewritten, and its users linked again, only when
# the answer changed.
set(version_source ${PROJECT_BINARY_DIR}/generated/version.cpp)
add_custom_target(version_stamp
  COMMAND ${CMAKE_COMMAND} -D SOURCE_DIR=${PROJECT_SOURCE_DIR} -D OUTPUT=${version_source}
          -D VERSION=${PROJECT_VERSION} -P ${CMAKE_CURRENT_LIST_DIR}/WriteVersion.cmake
  BYPRODUCTS ${version_source}
  COMMENT "")
add_library(version STATIC ${version_source})
add_dependencies(version version_stamp)
target_include_directories(version PUBLIC ${PROJECT_SOURCE_DIR})
target_link_libraries(version PRIVATE scalelaw_warnings)
