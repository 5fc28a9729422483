// What a run is paid for: hashes that must stay for ever, and what must not enter them.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "trainer/config_yaml.h"

namespace scalelaw {
namespace {

const std::string kTrain(32, 'a'), kBooks(32, 'b'), kWiki(32, 'c');

RunConfig config_of(const std::string& yaml) {
  return resolve(parse_flat_config(yaml, "f.yaml"));
}

DataIdentity data_for(const RunConfig& config) {
  DataIdentity data;
  data.n_vocab = 512;
  data.train_hash = kTrain;
  for (const auto& [name, tokens] : test_tokens(config)) {
    data.test_hash[name] = name == "wiki" ? kWiki : kBooks;
  }
  return data;
}

std::string hash_of(const std::string& yaml) {
  const RunConfig config = config_of(yaml);
  return content_hash(config, data_for(config));
}

// A failure here means that every run ever made would be paid for again. Do not renew these
// hashes: mend the program, or freeze the old behaviour under its spec and add a new spec.
TEST(Identity, HashesOfOldFilesNeverChange) {
  const std::vector<std::pair<std::string, std::string>> golden = {
      {"defaults.yaml", "33cb5cf141a88863642eb39a90a309ac"},
      {"transformer.yaml", "d95b2916d8fe9ffab05e14b4f390dbd9"},
      {"lstm.yaml", "54b87e0e62d074b9ff03975e12715141"}};
  const auto folder = std::filesystem::path(SCALELAW_SOURCE_DIR) / "tests/golden/identity";
  for (const auto& [name, hash] : golden) {
    const RunConfig config = read_run_config(folder / name);
    EXPECT_EQ(content_hash(config, data_for(config)), hash)
        << name << "\n"
        << identity_text(config, data_for(config));
  }
}

TEST(Identity, TextIsTheSortedKeysThatDifferFromDefaultsAndTheData) {
  const RunConfig defaults = config_of("");
  EXPECT_EQ(identity_text(defaults, data_for(defaults)),
            "spec=1\nn_vocab=512\ntrain_hash=" + kTrain + "\ntest_hash=" + kBooks + ":131072\n");
  const RunConfig config = config_of(
      "train: {learning_rate: 3e-4}\nseeds: {init: 2}\nhorizon: {tokens: 20M}\n"
      "data: {train: x, test: {wiki: 1Mi, books: 2Mi}}\n");
  EXPECT_EQ(identity_text(config, data_for(config)),
            "spec=1\nhorizon.tokens=20000768\nseeds.init=2\ntrain.learning_rate=3e-4\n"
            "n_vocab=512\ntrain_hash=" +
                kTrain + "\ntest_hash=" + kBooks + ":2097152\ntest_hash=" + kWiki + ":1048576\n");
}

// So a key that a later version adds with a default changes no old hash.
TEST(Identity, WritingADefaultOutChangesNothing) {
  const std::string base = hash_of("");
  for (const ConfigKey& key : config_keys()) {
    if (key.name == "data.test.NAME") continue;
    EXPECT_EQ(hash_of(key.name + ": " + key.default_text + "\n"), base) << key.name;
  }
  EXPECT_EQ(hash_of("data: {test: {default: 128Ki}}\n"), base);
}

TEST(Identity, EveryOtherChangeOfAnIdentityKeyChangesTheHash) {
  std::vector<std::string> hashes = {hash_of("")};
  for (const char* yaml : {"horizon.tokens: 3M",
                           "model.arch: lstm",
                           "model.n_layer: 3",
                           "model.d_model: 64",
                           "model.d_ff_ratio: 2",
                           "model.n_head: 2",
                           "model.n_ctx: 64",
                           "model.position: learned",
                           "model.embeddings: untied",
                           "model.bias: false",
                           "model.init: gpt2",
                           "model: {embeddings: untied, embedding_std: 0.02}",
                           "model: {init: gpt2, embedding_std: 0.02}",
                           "train.batch_tokens: 2048",
                           "train.learning_rate: 0.02",
                           "train.optimizer.beta1: 0.8",
                           "train.optimizer.beta2: 0.99",
                           "train.optimizer.epsilon: 1e-9",
                           "train.optimizer.weight_decay: 0.1",
                           "train.optimizer.clip_norm: 2",
                           "train.schedule.warmup: 0.2",
                           "train.schedule.final: 0",
                           "train.precision: bf16",
                           "evaluate.points_per_decade: 4",
                           "evaluate.tokens: 4096",
                           "evaluate.noise_scale_every: 16",
                           "seeds.init: 2",
                           "seeds.data: 2",
                           "data.test: {default: 64Ki}",
                           "data.test: {default: 128Ki, wiki: 128Ki}"}) {
    hashes.push_back(hash_of(yaml));
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Identity, HowOrderSpellingAndNamesDoNotEnter) {
  const std::string base = hash_of("horizon: {tokens: 20M}\nseeds: {init: 2, data: 3}\n");
  EXPECT_EQ(hash_of("seeds:\n  data: 3\n  init: 2\nhorizon.tokens: 20000000\n"), base);
  EXPECT_EQ(hash_of("horizon: {tokens: 2e7}\nseeds: {init: 2, data: 3}\n"
                    "how: {micro_batch_tokens: 256, log_every: 3, checkpoint_every_seconds: 5m, "
                    "progress_every_seconds: 9}\n"),
            base);
  EXPECT_EQ(hash_of("horizon: {tokens: 20M}\nseeds: {init: 2, data: 3}\ndata: {train: other}\n"),
            base);
  EXPECT_EQ(hash_of("data: {train: x, test: {one: 4k}}\n"),
            hash_of("data: {train: y, test: {two: 4000}}\n"));
}

TEST(Identity, FieldsThatTheArchitectureDoesNotReadDoNotEnter) {
  EXPECT_EQ(hash_of("model: {arch: lstm, n_head: 8, position: learned}\n"),
            hash_of("model: {arch: lstm}\n"));
  EXPECT_NE(hash_of("model: {n_head: 8}\n"), hash_of(""));
}

TEST(Identity, TwoSpellingsOfOneRunAreOneRun) {
  // 20M tokens are 19532 updates of 1024, and so is every horizon down to 19531 * 1024 + 1.
  const std::string base = hash_of("horizon: {tokens: 20M}\n");
  EXPECT_EQ(hash_of("horizon: {tokens: 19999745}\n"), base);
  EXPECT_EQ(hash_of("horizon: {tokens: 20000768}\n"), base);
  EXPECT_NE(hash_of("horizon: {tokens: 19999744}\n"), base);
  EXPECT_NE(hash_of("horizon: {tokens: 20000769}\n"), base);
  EXPECT_EQ(hash_of("horizon: {tokens: 2500001}\n"), hash_of(""));
  EXPECT_EQ(run_folder_name(config_of("horizon: {tokens: 2500608}\n"), base),
            run_folder_name(config_of(""), base));
  // d_ff 512 of d_model 192 by two decimals of 8/3
  EXPECT_EQ(hash_of("model: {d_model: 192, d_ff_ratio: 2.66666667}\n"),
            hash_of("model: {d_model: 192, d_ff_ratio: 2.666666667}\n"));
  // the tied head's matrix starts as N(0, 1/d_model) whatever the key says
  EXPECT_EQ(hash_of("model: {embedding_std: 0.02}\n"), hash_of(""));
  // without layers, neither heads nor a feed-forward block
  EXPECT_EQ(hash_of("model: {n_layer: 0, n_head: 8, d_ff_ratio: 2}\n"),
            hash_of("model: {n_layer: 0}\n"));
}

TEST(Identity, TheDataEnter) {
  const RunConfig config = config_of("");
  const DataIdentity base = data_for(config);
  const std::string hash = content_hash(config, base);
  DataIdentity other = base;
  other.train_hash[0] = 'f';
  EXPECT_NE(content_hash(config, other), hash);
  other = base;
  other.test_hash["default"][0] = 'f';
  EXPECT_NE(content_hash(config, other), hash);
  other = base;
  other.n_vocab = 50304;  // padded: the same ids, another model
  EXPECT_NE(content_hash(config, other), hash);
}

TEST(Identity, MissingDataAreOurMistake) {
  const RunConfig config = config_of("data: {test: {books: 4k, wiki: 4k}}\n");
  DataIdentity data = data_for(config);
  data.test_hash.erase("wiki");
  EXPECT_THROW(identity_text(config, data), std::invalid_argument);
  EXPECT_THROW(identity_text(config, DataIdentity{}), std::invalid_argument);
}

TEST(Identity, SurvivesTheResolvedFile) {
  const RunConfig config = config_of("horizon: {tokens: 20M}\ntrain: {learning_rate: 1.79e-3}\n");
  const RunConfig read = config_of(to_yaml(config));
  EXPECT_EQ(content_hash(read, data_for(read)), content_hash(config, data_for(config)));
}

TEST(RunFolderName, CanBeReadAndEndsInTheHash) {
  RunConfig config = config_of("model: {d_model: 64}\n");
  const std::string hash = "3fa9c1d20b7e00000000000000000000";
  EXPECT_EQ(run_folder_name(config, hash), "transformer_l2w64_d2.5M_i1d1-3fa9c1d20b7e");
  config =
      config_of("model: {arch: lstm, n_layer: 0}\nhorizon: {tokens: 1.2G}\nseeds: {data: 12}\n");
  EXPECT_EQ(run_folder_name(config, hash), "lstm_l0w128_d1.2B_i1d12-3fa9c1d20b7e");
}

}  // namespace
}  // namespace scalelaw
