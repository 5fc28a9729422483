// Which cells of a sweep's record the provisional ones of its plan may turn out to be.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "sweeps/plan.h"
#include "trainer/run_identity.h"
#include "trainer/sweep_record.h"

namespace scalelaw {

class OpenCells {
 public:
  // `plan` outlives it. `is_same_file`: the record was written for the plan's own file.
  OpenCells(const Plan& plan, bool is_same_file);

  // Whether a provisional cell, at the rate that the recorded run's config.yaml has, is that run;
  // each is so of one. A trial: whether one of the plan's is it at another rate. Without a
  // config.yaml that can be read: of the same file, whether place and folder's name but for the
  // hash are equal; else false.
  bool takes(const SweepCell& recorded);

 private:
  using Key = std::tuple<std::string, std::string, std::string>;  // arm, block, stem
  static Key key(const SweepPlace& place, const std::string& folder);
  // Of `cells` the first that may be `recorded`; their end where none is.
  std::vector<std::size_t>::iterator like(std::vector<std::size_t>& cells,
                                          const SweepCell& recorded, std::optional<double> rate);

  const Plan& plan_;
  bool is_same_file_;
  DataSetHeaders data_;
  std::map<Key, std::vector<std::size_t>> left_;  // cells of the plan
  std::map<std::string, std::vector<std::size_t>> trials_of_stem_;
};

// A folder's name without its hash.
std::string folder_stem(const std::string& folder);

}  // namespace scalelaw
