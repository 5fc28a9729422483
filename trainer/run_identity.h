// What a run is before anything is trained or written: identity and folder. No LibTorch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>

#include "trainer/config_yaml.h"
#include "trainer/data/data_set.h"
#include "trainer/run_config.h"
#include "trainer/run_record.h"

namespace scalelaw {

struct RunIdentity {
  RunConfig config;
  DataIdentity data;
  std::string content_hash;
  std::string recipe_hash;  // content hash with both seeds at their defaults: equal for replicates
  RunFolder folder;
};

// The headers of the data sets below `root`, each read once: a plan asks for thousands of runs.
class DataSetHeaders {
 public:
  explicit DataSetHeaders(std::filesystem::path root) : root_(std::move(root)) {}
  const DataSetInfo& open(const std::string& name);  // as open_data_set

 private:
  std::filesystem::path root_;
  std::map<std::string, DataSetInfo> opened_;
};

// Opens the data sets' headers. KeyError for one that is missing, damaged, without the split that
// is read, or of another tokenizer than the train set.
RunIdentity identify(RunConfig config, const std::filesystem::path& runs,
                     const std::filesystem::path& data);
RunIdentity identify(RunConfig config, const std::filesystem::path& runs, DataSetHeaders& data);

// The data set that run `content_hash` in `folder` was trained on, as it lies below `data`.
// ConfigError where it is not there, or another.
DataSetInfo open_train_set(const RunConfig& config, const std::string& content_hash,
                           const RunFolder& folder, const std::filesystem::path& data);

// ConfigError when the folder holds attempts at another run (the hashes' first digits met by
// accident).
void check_same_run(const RunIdentity& identity);

}  // namespace scalelaw
