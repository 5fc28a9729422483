#include "sweeps/store/folder_identity.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>

namespace scalelaw {
namespace {

constexpr std::size_t kMostPaths = 6;  // 720 orders

bool repeats(const RunConfig& config, const RunRecord& record) {
  ModelShape shape = config.model;
  shape.n_vocab = record.shape.n_vocab;
  return canonical(shape) == canonical(record.shape) &&
         config.train.batch_tokens == record.batch_tokens &&
         config.train.learning_rate == record.learning_rate &&
         config.seeds.init == record.seed_init && config.seeds.data == record.seed_data;
}

bool gives(const std::string& hash, const RunConfig& config, const DataIdentity& data) {
  try {
    return content_hash(config, data) == hash;
  } catch (const std::invalid_argument&) {
    return false;  // the record does not say what was read
  }
}

// A set that the configuration calls by a path stands in the record by its own name: whichever of
// those that are left over.
bool gives_hash(const RunConfig& config, const RunRecord& record) {
  DataIdentity data;
  data.n_vocab = record.shape.n_vocab;
  data.train_hash = record.train_hash;
  const std::map<std::string, int64_t> sets = test_tokens(config);
  std::vector<std::string> paths, hashes;
  for (const auto& [name, tokens] : sets) {
    const auto found = record.test.find(name);
    if (found == record.test.end()) {
      paths.push_back(name);
    } else {
      data.test_hash[name] = found->second.token_hash;
    }
  }
  for (const auto& [name, result] : record.test) {
    if (!sets.contains(name)) hashes.push_back(result.token_hash);
  }
  if (paths.size() != hashes.size() || paths.size() > kMostPaths) return false;
  std::ranges::sort(hashes);
  do {
    for (std::size_t i = 0; i < paths.size(); ++i) data.test_hash[paths[i]] = hashes[i];
    if (gives(record.content_hash, config, data)) return true;
  } while (std::ranges::next_permutation(hashes).found);
  return false;
}

}  // namespace

bool is_config_of(const RunConfig& config, const RunRecord& record) {
  return record.state == RunState::kDiverged ? repeats(config, record) : gives_hash(config, record);
}

std::string other_run_of(const std::vector<Attempt>& attempts, const std::string& content_hash) {
  const auto other = std::ranges::find_if(
      attempts, [&](const Attempt& attempt) { return attempt.content_hash != content_hash; });
  return other == attempts.end() ? "" : other->content_hash;
}

std::string why_not_run(const RunFolder& folder, const std::string& content_hash) {
  const RunRecord record = read_run_record(folder);
  if (record.content_hash != content_hash) return "holds run " + record.content_hash;
  for (const std::vector<Attempt>& attempts : {read_attempts(folder), record.attempts}) {
    const std::string other = other_run_of(attempts, content_hash);
    if (!other.empty()) return "holds attempts at another run, " + other;
  }
  if (!is_config_of(read_run_config(folder.config()), record)) {
    return "holds a config.yaml that is not the configuration of its content hash";
  }
  return "";
}

}  // namespace scalelaw
