// The sweeps of an archive on their way into a store: their records, and what they leave out.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "sweeps/store/import_runs.h"

namespace scalelaw {

// Contents by name below sweeps/, of an archive whose manifest was read: with each exclusion its
// sweep's record.
using SweepFiles = std::map<std::string, std::string>;

// What would become of each. ConfigError: a record or an exclusion that is none, a record of
// another sweep or an exclusion of another run than its name says, or of one that its sweep does
// not ask for. std::runtime_error: what the store has cannot be read.
std::vector<ImportedItem> look_at_sweeps(const std::filesystem::path& runs,
                                         const SweepFiles& files);

// Puts those that look_at_sweeps() would import into the store, over nothing, records first: an
// exclusion only where its sweep's record is then the archive's. Notes in `items` what another
// process has put there meanwhile.
void publish_sweeps(const std::filesystem::path& runs, const SweepFiles& files,
                    std::vector<ImportedItem>& items);

}  // namespace scalelaw
