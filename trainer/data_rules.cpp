#include "trainer/data_rules.h"

#include <map>
#include <string>

#include "trainer/config_error.h"
#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

// As evaluation_starts (trainer/data/batch_stream.h) counts windows.
void check_evaluation(const std::string& key, int64_t tokens, int64_t n_ctx,
                      const DataSetInfo& set) {
  const int64_t windows = (set.splits.at(Split::kTest).n_tokens - 1) / n_ctx;
  if (tokens >= n_ctx && tokens / n_ctx <= windows) return;
  const std::string held = "the test split of " + set.name + " holds " +
                           std::to_string(windows * n_ctx) + " tokens in whole windows";
  throw KeyError(key, std::to_string(tokens),
                 windows < 1 ? held + " of model.n_ctx = " + std::to_string(n_ctx) +
                                   "; set a smaller model.n_ctx or build a larger data set"
                             : "must be from model.n_ctx = " + std::to_string(n_ctx) + " to " +
                                   std::to_string(windows * n_ctx) + "; " + held);
}

}  // namespace

void check_data_rules(const RunConfig& config, DataSetHeaders& data) {
  const DataSetInfo& train = data.open(config.data.train);
  ModelShape shape = canonical(config.model);
  shape.n_vocab = train.n_vocab;
  for (const ShapeProblem& problem : validate(shape)) {
    throw KeyError("data.train", config.data.train,
                   "with its vocabulary of " + std::to_string(train.n_vocab) + ", " + problem.key +
                       " " + problem.rule);
  }
  const int64_t held = train.splits.at(Split::kTrain).n_tokens;
  if (held <= config.train.batch_tokens) {
    throw KeyError("train.batch_tokens", std::to_string(config.train.batch_tokens),
                   "the train split of " + train.name + " has only " + std::to_string(held) +
                       " tokens, and must have more than a batch; build a larger data set or set "
                       "a smaller batch");
  }
  std::map<std::string, std::string> seen;  // the set's own name -> what the configuration calls it
  for (const auto& [name, tokens] : test_tokens(config)) {
    const DataSetInfo& set = data.open(name);
    if (const auto [other, is_new] = seen.emplace(set.name, name); !is_new) {
      throw KeyError("data.test." + name, std::to_string(tokens),
                     "is named " + set.name + " as data.test." + other->second +
                         " is, and results are kept by that name; leave one out, or build it under "
                         "another name");
    }
    check_evaluation("data.test." + name, tokens, config.model.n_ctx, set);
    if (config.evaluate.points_per_decade > 0) {
      check_evaluation("evaluate.tokens", config.evaluate.tokens, config.model.n_ctx, set);
    }
  }
}

}  // namespace scalelaw
