// Which held-out cells whose rates are not known yet may turn out to need no other prediction.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "sweeps/plan/plan.h"
#include "trainer/prediction.h"
#include "trainer/run_identity.h"

namespace scalelaw {

class OpenPredictions {
 public:
  // Reads config.yaml of the runs that `prediction` holds, and of those of the sweep's record that
  // are complete or excluded; nothing of a plan without provisional held-out
  // cells. nullopt: it cannot be read, and nothing is known.
  OpenPredictions(const Plan& plan, const std::optional<Prediction>& prediction,
                  DataSetHeaders& data);

  // Whether one of these is the provisional cell but for its rate. True where that cannot be told:
  // of a run that has not begun, by the folder's name.
  bool may_hold(const PlannedCell& cell) const;

 private:
  void add(const Plan& plan, const std::string& folder, const std::string& content_hash);

  DataSetHeaders& data_;
  bool knows_nothing_ = false;
  std::set<std::string> hashes_, stems_;  // without the rate; of folders whose rates are not known
};

}  // namespace scalelaw
