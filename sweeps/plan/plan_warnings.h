// What a scientist would want to be told of a plan before it runs.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "sweeps/plan/plan.h"
#include "trainer/config_yaml.h"

namespace scalelaw {

// One line a rule, however many cells it concerns: cells that do not fit the memory; warm-ups over
// a tenth of the run; repeated tokens; embeddings over half of the parameters; sizes that a ladder
// misses, and that come too close to each other; budgets that so few steps meet badly; laws called
// outside of what they were fitted on; hours that nothing measured says.
std::vector<std::string> warnings_of(const Plan& plan);

// Keys at the top of the file that no cell has, since arms, blocks or a ladder set them all. Of
// keys that are swept the value at the top is where a reader expects the usual one, and no slip.
class OverriddenSettings {
 public:
  OverriddenSettings(const FlatConfig& base, const std::vector<std::string>& swept);
  // `written`: before it is evaluated.
  void note(const FlatConfig& written);
  std::vector<std::string> warnings() const;

 private:
  FlatConfig unused_;
};

// Settings that no cell reads: one that some cells share with others is not a slip.
class UnreadSettings {
 public:
  void note(const FlatConfig& written, const RunConfig& config);
  std::vector<std::string> warnings() const;

 private:
  using Place = std::tuple<std::string, int, std::string>;  // file, line, key
  std::map<Place, std::optional<std::string>> places_;
  std::set<Place> read_;
};

}  // namespace scalelaw
