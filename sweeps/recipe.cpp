#include "sweeps/recipe.h"

#include <utility>

namespace scalelaw {

std::string recipe_of(RunConfig config, DataSetHeaders& data) {
  config.train.learning_rate = RunConfig{}.train.learning_rate;
  config.seeds = {};
  return identify(std::move(config), {}, data).content_hash;
}

}  // namespace scalelaw
