// Which cells of a sweep's record the provisional ones of its plan may turn out to be.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sweeps/plan/plan.h"
#include "trainer/run_identity.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

class OpenCells {
 public:
  // `plan` outlives it. `is_same_file`: the record was written for the plan's own file.
  OpenCells(const Plan& plan, bool is_same_file);

  // The recorded cell, in the plan's arms and blocks, where a provisional cell at the rate of the
  // recorded run's config.yaml is that run; each is so of one. Of a trial: where one of the plan's
  // is it at another rate. Without a config.yaml that can be read: of the same file, where a place
  // and the folder's name but for the hash are equal. Else nullopt.
  std::optional<SweepCell> taken(SweepCell recorded);

 private:
  bool is_trial_of_plan(const SweepCell& recorded, const std::string& hash) const;
  std::optional<std::size_t> provisional_like(const SweepCell& recorded, const std::string& hash);

  const Plan& plan_;
  bool is_same_file_;
  DataSetHeaders data_;
  // By what cells are but for their rate.
  std::map<std::string, std::vector<std::size_t>> provisional_;
  std::set<std::string> trials_;
  std::multimap<std::string, std::size_t> provisional_of_stem_;
  std::set<std::string> trial_stems_;
  std::set<std::size_t> taken_;
};

// A folder's name without its hash.
std::string folder_stem(const std::string& folder);

}  // namespace scalelaw
