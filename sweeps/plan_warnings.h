// What a scientist would want to be told of a plan before it runs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "sweeps/plan.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

// One line a rule, however many cells it concerns: cells that do not fit the memory; warm-ups over
// a tenth of the run; repeated tokens; embeddings over half of the parameters; sizes that a ladder
// misses, and that come too close to each other; laws called outside of what they were fitted on;
// hours that nothing measured says.
std::vector<std::string> warnings_of(const Plan& plan);

// Settings that no cell reads: one that some cells share with others is not a slip.
class UnreadSettings {
 public:
  void note(const FlatConfig& written, const RunConfig& config);
  std::vector<std::string> warnings() const;

 private:
  using Place = std::pair<int, std::string>;  // line, key
  std::map<Place, std::optional<std::string>> places_;
  std::set<Place> read_;
};

}  // namespace scalelaw
