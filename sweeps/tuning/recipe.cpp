#include "sweeps/tuning/recipe.h"

#include <exception>
#include <utility>

#include "trainer/config_yaml.h"
#include "trainer/run_record.h"

namespace scalelaw {

std::string recipe_of(RunConfig config, DataSetHeaders& data) {
  config.seeds = {};
  return but_for_rate(std::move(config), data);
}

std::string but_for_rate(RunConfig config, DataSetHeaders& data) {
  config.train.learning_rate = RunConfig{}.train.learning_rate;
  return identify(std::move(config), {}, data).content_hash;
}

std::string but_for_rate(const std::filesystem::path& run_folder, const std::string& content_hash,
                         DataSetHeaders& data) {
  try {
    RunConfig config = read_run_config(RunFolder{run_folder}.config());
    if (identify(config, {}, data).content_hash != content_hash) return "";
    return but_for_rate(std::move(config), data);
  } catch (const std::exception&) {
    return "";
  }
}

}  // namespace scalelaw
