#include <algorithm>
#include <stdexcept>
#include <utility>

#include "trainer/config_keys.h"
#include "trainer/config_yaml.h"
#include "trainer/hash.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

// Horizons that come to the same number of updates are one run, the default's name for it first.
int64_t canonical_horizon(const RunConfig& config) {
  RunConfig default_horizon = config;
  default_horizon.horizon = {};
  const int64_t steps = total_steps(config);
  return steps == total_steps(default_horizon) ? default_horizon.horizon.tokens
                                               : steps * config.train.batch_tokens;
}

}  // namespace

// A change to a single byte of this text orphans every run ever made; tests/golden/identity holds
// hashes that must stay.
std::string identity_text(const RunConfig& config, const DataIdentity& data) {
  if (data.n_vocab < 1 || data.train_hash.empty()) {
    throw std::invalid_argument("the data's identity is not filled in");
  }
  RunConfig identical = config;
  identical.model = canonical(config.model);
  identical.horizon.tokens = canonical_horizon(config);
  std::vector<std::string> lines;
  for (const KeyAccess& access : key_table()) {
    if (!access.key.identity || access.key.name == "spec") continue;
    const std::string value = access.get(identical);
    if (value != access.key.default_text) lines.push_back(access.key.name + "=" + value + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::vector<std::string> tests;
  for (const auto& [name, tokens] : test_tokens(config)) {
    const auto hash = data.test_hash.find(name);
    if (hash == data.test_hash.end()) {
      throw std::invalid_argument("no token hash of test set " + name);
    }
    tests.push_back("test_hash=" + hash->second + ":" + std::to_string(tokens) + "\n");
  }
  std::sort(tests.begin(), tests.end());

  std::string text = "spec=" + std::to_string(config.spec) + "\n";
  for (const std::string& line : lines) text += line;
  text += "n_vocab=" + std::to_string(data.n_vocab) + "\n";
  text += "train_hash=" + data.train_hash + "\n";
  for (const std::string& line : tests) text += line;
  return text;
}

std::string content_hash(const RunConfig& config, const DataIdentity& data) {
  return hash_hex(identity_text(config, data));
}

std::string run_folder_name(const RunConfig& config, std::string_view content_hash) {
  const ModelShape& model = config.model;
  return model.arch + "_l" + std::to_string(model.n_layer) + "w" + std::to_string(model.d_model) +
         "_d" + human(static_cast<double>(canonical_horizon(config))) + "_i" +
         std::to_string(config.seeds.init) + "d" + std::to_string(config.seeds.data) + "-" +
         std::string(content_hash.substr(0, 12));
}

}  // namespace scalelaw
