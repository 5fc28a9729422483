// The settings of a run as its folder's config.yaml has them, for the sweep file of its like. What
// they mean is the sweep's to know.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "trainer/run_record.h"

namespace scalelaw {

using RunSettings = std::vector<std::pair<std::string, std::string>>;  // "model.n_ctx" -> "128"

// `key: value` lines and groups of them by two spaces, as training writes them; how the run was
// computed (how.), its seeds and `spec` are left out. ConfigError names file, line and rule for
// anything else: quotes, lists, comments, a key twice.
RunSettings parse_run_settings(std::string_view text, const std::string& file);
// ConfigError too where the file is not there or cannot be read.
RunSettings read_run_settings(const RunFolder& folder);

}  // namespace scalelaw
