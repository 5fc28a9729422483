// Whether what lies in a run's folder is of the run that the folder says it holds.
#pragma once

#include <string>
#include <vector>

#include "trainer/config_yaml.h"
#include "trainer/run_record.h"

namespace scalelaw {

// Whether `config` gives the record's content hash. The hashes of what the run read stand in its
// record, so that no data set is needed. A diverged run has no test results to tell of: what its
// record repeats of the configuration is compared.
bool is_config_of(const RunConfig& config, const RunRecord& record);

// The content hash of the first attempt at another run than `content_hash`; "" where there is none.
std::string other_run_of(const std::vector<Attempt>& attempts, const std::string& content_hash);

// Why a folder with a result is not that of run `content_hash`, by its run.json, config.yaml and
// attempts: "holds run 3fa9…"; "" where it is. A damaged attempt is passed over. Errors as
// read_run_record() and read_run_config().
std::string why_not_run(const RunFolder& folder, const std::string& content_hash);

}  // namespace scalelaw
