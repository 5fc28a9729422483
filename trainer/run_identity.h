// What a run is before anything is trained or written: identity and folder. No LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "trainer/run_config.h"
#include "trainer/run_record.h"

namespace scalelaw {

struct RunIdentity {
  RunConfig config;
  std::string content_hash;
  RunFolder folder;
};

// Opens the data sets' headers; ConfigError when one is missing.
RunIdentity identify(RunConfig config, const std::filesystem::path& runs,
                     const std::filesystem::path& data);

// ConfigError when the folder holds the config.yaml of another run (the hash's first digits met by
// accident, or a file edited by hand).
void check_same_run(const RunIdentity& identity, const std::filesystem::path& data);

}  // namespace scalelaw
