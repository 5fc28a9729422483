#include "trainer/model_files.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/config_yaml.h"
#include "trainer/number.h"
#include "trainer/run_record.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

struct WeightsFile {
  fs::path path;
  bool of_run = false;
};

WeightsFile find_weights(const RunFolder& folder) {
  const std::string name = folder.path.string();
  if (!fs::is_directory(folder.path)) throw ConfigError(name + ": no such folder");
  const fs::path own = folder.path / kModelFile;
  if (!fs::exists(folder.config())) {
    throw ConfigError(name + ": holds neither a run nor a model: no config.yaml" +
                      (fs::exists(folder.path / "config.json") && fs::exists(own)
                           ? "; `scalelaw model import hf` makes a model of a Hugging Face folder"
                           : ""));
  }
  const std::vector<int64_t> steps = checkpoint_steps(folder);
  if (!steps.empty()) return {checkpoint_file(folder, steps.front()), true};
  if (fs::exists(own)) return {own};
  if (fs::exists(folder.record())) {
    throw ConfigError(name +
                      ": is complete and holds no weights: they were not kept (how.keep: none, or "
                      "`scalelaw runs clean --keep none`); train its config.yaml again with "
                      "--set how.keep=weights in another store (--runs)");
  }
  throw ConfigError(name + ": holds no weights yet; a run has them from its first checkpoint on");
}

SafetensorsFile read_weights(const WeightsFile& weights) {
  try {
    return SafetensorsFile(weights.path);
  } catch (const DamagedFile& error) {
    throw ConfigError(error.what() +
                      std::string(weights.of_run
                                      ? "; `scalelaw train` with the run's config.yaml goes on "
                                        "from the checkpoint before"
                                      : "; import the model again"));
  }
}

// Nothing else in the files tells it.
int64_t vocabulary_of(const SafetensorsFile& weights, const fs::path& path) {
  const auto found = weights.tensors().find(std::string(kWeightPrefix) + "embedding.weight");
  if (found == weights.tensors().end() || found->second.shape.empty()) {
    throw ConfigError(path.string() + ": holds no model: no model.embedding.weight");
  }
  return found->second.shape.front();
}

constexpr const char* kBefore = "id_before_text";
constexpr const char* kBehind = "id_behind_text";

std::optional<int64_t> id_of(const SafetensorsFile& weights, const char* key, int64_t n_vocab) {
  const auto found = weights.metadata().find(key);
  if (found == weights.metadata().end()) return std::nullopt;
  const std::optional<int64_t> id = parse_whole(found->second);
  return id && *id >= 0 && *id < n_vocab ? id : std::nullopt;
}

}  // namespace

ModelFiles open_model(const fs::path& path) {
  const RunFolder folder{path};
  const WeightsFile weights = find_weights(folder);
  ModelFiles files{
      read_run_config(folder.config()), {}, weights.path, read_weights(weights), {}, {}, {}};
  files.shape = canonical(files.config.model);
  files.shape.n_vocab = vocabulary_of(files.weights, weights.path);
  for (const ShapeProblem& problem : validate(files.shape)) {
    throw ConfigError(path.string() + ": with its weights' vocabulary of " +
                      std::to_string(files.shape.n_vocab) + ", " + problem.key + " " +
                      problem.rule);
  }
  if (!weights.of_run) {
    files.marks = {id_of(files.weights, kBefore, files.shape.n_vocab),
                   id_of(files.weights, kBehind, files.shape.n_vocab)};
    return files;
  }
  const auto& metadata = files.weights.metadata();
  const auto updates = metadata.find("updates_done"), hash = metadata.find("content_hash");
  if (updates != metadata.end()) files.run_step = parse_whole(updates->second);
  if (hash != metadata.end()) files.content_hash = hash->second;
  if (!files.run_step || files.content_hash.empty())
    throw ConfigError(weights.path.string() + ": is no checkpoint");
  return files;
}

void write_model(const fs::path& folder, const ModelShape& shape,
                 const std::map<std::string, SafetensorView>& tensors, const std::string& comment,
                 const TextMarks& marks) {
  std::map<std::string, std::string> metadata = {{"format", "scalelaw model 1"}};
  if (marks.before) metadata[kBefore] = std::to_string(*marks.before);
  if (marks.behind) metadata[kBehind] = std::to_string(*marks.behind);
  write_safetensors(folder / kModelFile, tensors, metadata);
  RunConfig config;
  const auto defaults = canonical_values(config);
  config.model = shape;
  config.train.batch_tokens =
      (config.train.batch_tokens + shape.n_ctx - 1) / shape.n_ctx * shape.n_ctx;
  config.evaluate.tokens = std::max(config.evaluate.tokens, shape.n_ctx);
  std::string yaml = comment + "spec: " + std::to_string(config.spec) + "\n";
  for (const auto& entry : canonical_values(config)) {
    const bool differs = std::ranges::find(defaults, entry) == defaults.end();
    if (differs || entry.first.starts_with("model.")) {
      yaml += entry.first + ": " + entry.second + "\n";
    }
  }
  write_atomically(folder / "config.yaml", yaml);
}

}  // namespace scalelaw
