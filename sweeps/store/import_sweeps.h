// The sweeps of an archive on their way into a store: their records, what they leave out, and what
// was predicted of them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sweeps/store/import_runs.h"

namespace scalelaw {

// Contents by path below the store ("sweeps/NAME.json"), of an archive whose manifest was read:
// with each exclusion its sweep's record.
using SweepFiles = std::map<std::string, std::string>;

// Whether a path of such an archive is one of those, and no run's.
bool is_sweep_file(std::string_view path);

// What would become of each. ConfigError: a record, an exclusion or a prediction that is none, one
// of another name than its file's (an exclusion: of another run), and an exclusion
// that its sweep does not ask for, and a prediction of none of the archive's. std::runtime_error:
// what the store has cannot be read.
std::vector<ImportedItem> look_at_sweeps(const std::filesystem::path& runs,
                                         const SweepFiles& files);

// Puts those that look_at_sweeps() would import into the store, over nothing, records first: an
// exclusion or a prediction only where a record that it goes with is then the archive's. Notes in
// `items` what another process has put there meanwhile.
void publish_sweeps(const std::filesystem::path& runs, const SweepFiles& files,
                    std::vector<ImportedItem>& items);

}  // namespace scalelaw
