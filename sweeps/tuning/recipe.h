// All that a run is but its learning rate, and its seeds: what is compared when a rate is chosen.
#pragma once

#include <filesystem>
#include <string>

#include "trainer/run_identity.h"

namespace scalelaw {

// Equal where content hashes would be at one rate and equal seeds, however it is written: 32 hex
// digits. KeyError as identify().
std::string recipe_of(RunConfig config, DataSetHeaders& data);

// The same with the seeds.
std::string but_for_rate(RunConfig config, DataSetHeaders& data);
// Of the run of that content hash in a folder; "" where its config.yaml is not there, cannot be
// read, or is another run's.
std::string but_for_rate(const std::filesystem::path& run_folder, const std::string& content_hash,
                         DataSetHeaders& data);

}  // namespace scalelaw
