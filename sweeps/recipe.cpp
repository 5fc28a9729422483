#include "sweeps/recipe.h"

#include "trainer/config_yaml.h"

namespace scalelaw {

std::string recipe_of(const RunConfig& config) {
  std::string text;
  for (const auto& [key, value] : canonical_values(config)) {
    if (key == "train.learning_rate" || key.starts_with("seeds.") || key.starts_with("how.")) {
      continue;
    }
    text += key + "=" + value + "\n";
  }
  return text;
}

}  // namespace scalelaw
