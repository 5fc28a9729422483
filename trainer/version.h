// Which scalelaw this is. The definition is written at build time (scripts/cmake/Version.cmake);
// link `version`.
#pragma once

#include <string_view>

namespace scalelaw {

struct BuildVersion {
  std::string_view program;     // "0.1.0"
  std::string_view git_commit;  // 40 hex digits; "unknown" outside a git checkout
  bool git_dirty = false;       // compiled sources differed from that commit
};

BuildVersion build_version();

}  // namespace scalelaw
