#include "trainer/run_identity.h"

#include <utility>

#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/data/data_set.h"

namespace scalelaw {
namespace {

// What is wrong with a data set is reported at the key that names it.
const DataSetInfo& open_for(const std::string& key, const std::string& value,
                            const std::string& name, DataSetHeaders& data) {
  try {
    return data.open(name);
  } catch (const ConfigError& error) {
    throw KeyError(key, value, error.what());
  }
}

DataIdentity data_identity(const RunConfig& config, DataSetHeaders& data) {
  DataIdentity identity;
  const auto token_hash = [&](const std::string& key, const std::string& value,
                              const std::string& name, Split split) {
    const DataSetInfo& set = open_for(key, value, name, data);
    const auto found = set.splits.find(split);
    if (found == set.splits.end() || found->second.n_tokens == 0) {
      throw KeyError(key, value,
                     "the data set " + set.folder.string() + " has no " +
                         std::string(scalelaw::name(split)) + " split");
    }
    if (split == Split::kTrain) identity.n_vocab = set.n_vocab;
    return std::pair(found->second.token_hash, set.tokenizer_hash);
  };
  const auto [train_hash, tokenizer] =
      token_hash("data.train", config.data.train, config.data.train, Split::kTrain);
  identity.train_hash = train_hash;
  for (const auto& [name, tokens] : test_tokens(config)) {
    const std::string key = "data.test." + name;
    const auto [hash, test_tokenizer] = token_hash(key, std::to_string(tokens), name, Split::kTest);
    if (test_tokenizer != tokenizer) {
      throw KeyError(
          key, std::to_string(tokens),
          "the set was made with another tokenizer than data.train = " + config.data.train +
              "; build it with --tokenizer set:" + config.data.train);
    }
    identity.test_hash[name] = hash;
  }
  return identity;
}

}  // namespace

const DataSetInfo& DataSetHeaders::open(const std::string& name) {
  const auto found = opened_.find(name);
  if (found != opened_.end()) return found->second;
  return opened_.emplace(name, open_data_set(root_, name)).first->second;
}

RunIdentity identify(RunConfig config, const std::filesystem::path& runs,
                     const std::filesystem::path& data) {
  DataSetHeaders headers(data);
  return identify(std::move(config), runs, headers);
}

RunIdentity identify(RunConfig config, const std::filesystem::path& runs, DataSetHeaders& data) {
  RunIdentity identity;
  identity.data = data_identity(config, data);
  identity.content_hash = content_hash(config, identity.data);
  RunConfig recipe = config;
  recipe.seeds = {};
  identity.recipe_hash = content_hash(recipe, identity.data);
  identity.folder = {runs / run_folder_name(config, identity.content_hash)};
  identity.config = std::move(config);
  return identity;
}

DataSetInfo open_train_set(const RunConfig& config, const std::string& content_hash,
                           const RunFolder& folder, const std::filesystem::path& data) {
  const RunIdentity identity = identify(config, folder.path.parent_path(), data);
  if (identity.content_hash != content_hash) {
    throw ConfigError("the data sets in " + data.string() + " are not the run's");
  }
  return open_data_set(data, config.data.train);
}

void check_same_run(const RunIdentity& identity) {
  for (const Attempt& attempt : read_attempts(identity.folder)) {
    if (attempt.content_hash == identity.content_hash) continue;
    throw ConfigError(identity.folder.path.string() + ": holds run " + attempt.content_hash +
                      ", not " + identity.content_hash + "; move that folder away");
  }
}

}  // namespace scalelaw
