// Types, ranges and rules: every key's default is valid and every rule has a text that breaks it.
#include <gtest/gtest.h>

#include <algorithm>

#include "trainer/config_yaml.h"
#include "trainer/nearest.h"

namespace scalelaw {
namespace {

RunConfig config_of(const std::string& yaml) {
  return resolve(parse_flat_config(yaml, "f.yaml"));
}

std::string fault_of(const std::string& yaml) {
  try {
    config_of(yaml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

std::string setting_fault(const std::string& key, const std::string& value) {
  return fault_of(key + ": \"" + value + "\"\n");
}

TEST(Resolve, EveryDefaultIsValidAndChangesNothing) {
  const std::string defaults = to_yaml(RunConfig{});
  for (const ConfigKey& key : config_keys()) {
    if (key.name == "data.test.NAME") continue;
    EXPECT_EQ(to_yaml(config_of(key.name + ": " + key.default_text + "\n")), defaults) << key.name;
  }
}

TEST(Resolve, EveryKeyIsExplained) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_FALSE(key.type.empty()) << key.name;
    EXPECT_GT(key.help.size(), 20u) << key.name;
    EXPECT_TRUE(key.help.ends_with('.')) << key.name;
    EXPECT_EQ(key.identity, !key.name.starts_with("how.") && key.name != "data.train") << key.name;
  }
}

TEST(Resolve, NumbersAreReadByTheProjectsReader) {
  const RunConfig config = config_of(
      "horizon: {tokens: 20M}\n"
      "data: {test: {books: 2Mi}}\n"
      "train: {learning_rate: 0.01, schedule: {warmup: 2%, final: 10%}}\n"
      "how: {checkpoint_every_seconds: 15m}\n");
  EXPECT_EQ(config.horizon.tokens, 20'000'000);
  EXPECT_EQ(config.data.test.at("books"), 2'097'152);
  EXPECT_EQ(config.train.learning_rate, 0.01);
  EXPECT_EQ(config.train.schedule.warmup, 0.02);
  EXPECT_EQ(config.train.schedule.final, 0.1);
  EXPECT_EQ(config.how.checkpoint_every_seconds, 900);
}

TEST(Resolve, CheckpointsComeAtTheirCostOrAtAnInterval) {
  EXPECT_EQ(config_of("").how.checkpoint_every_seconds, std::nullopt);
  EXPECT_EQ(config_of("how: {checkpoint_every_seconds: auto}\n").how.checkpoint_every_seconds,
            std::nullopt);
  EXPECT_EQ(config_of("how: {checkpoint_every_seconds: 0}\n").how.checkpoint_every_seconds, 0);
  EXPECT_NE(to_yaml(config_of("")).find("checkpoint_every_seconds: auto\n"), std::string::npos);
}

TEST(Resolve, TextThatIsNotOfTheKeysTypeIsRefused) {
  for (const ConfigKey& key : config_keys()) {
    if (key.type == "the name of a data set") continue;
    const std::string fault = setting_fault(key.name, "20Q");
    EXPECT_TRUE(fault.starts_with("line 1 of f.yaml: " + key.name + " = 20Q: must be "))
        << key.name << ": " << fault;
  }
  EXPECT_NE(setting_fault("data.train", "{}").find("must be the name of a data set"),
            std::string::npos);
  EXPECT_NE(setting_fault("data.train", ""), "nothing was thrown");
}

TEST(Resolve, ValuesBeyondTheirRangeAreRefused) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> broken = {
      {"spec", {"0", "2", "1.5"}},
      {"data.test.books", {"0", "-1", "1.5", "1e30", ""}},
      {"horizon.tokens", {"0", "-1", "1.5", "1e16"}},
      {"model.arch", {"transfomer", "gpt", ""}},
      {"model.n_layer", {"-1", "0.5"}},
      {"model.d_model", {"0", "-4"}},
      {"model.d_ff_ratio", {"0", "-1", "inf", "nan"}},
      {"model.n_head", {"0"}},
      {"model.n_ctx", {"0"}},
      {"model.position", {"Rotary", "none"}},
      {"model.embeddings", {"true"}},
      {"model.bias", {"yes", "1", "True"}},
      {"model.init", {"fanin", "0"}},
      {"model.embedding_std", {"0", "-0.1"}},
      {"train.batch_tokens", {"0", "-128"}},
      {"train.learning_rate", {"0", "-0.01", "nan"}},
      {"train.optimizer.kind", {"adam", "sgd"}},
      {"train.optimizer.beta1", {"-0.1", "1", "1.1"}},
      {"train.optimizer.beta2", {"-0.1", "1"}},
      {"train.optimizer.epsilon", {"0", "-1e-8"}},
      {"train.optimizer.weight_decay", {"-0.1"}},
      {"train.optimizer.clip_norm", {"-1"}},
      {"train.schedule.kind", {"linear"}},
      {"train.schedule.warmup", {"-0.1", "1", "100%"}},
      {"train.schedule.final", {"-0.1", "1.01"}},
      {"train.precision", {"fp16", "float32"}},
      {"evaluate.points_per_decade", {"-1", "1000001", "9007199254740993"}},
      {"evaluate.tokens", {"0"}},
      {"evaluate.noise_scale_every", {"-1", "true", "0.5"}},
      {"seeds.init", {"-1", "0.5"}},
      {"seeds.data", {"-1"}},
      {"how.micro_batch_tokens", {"-1"}},
      {"how.step", {"fast"}},
      {"how.recompute", {"layers", "true"}},
      {"how.log_every", {"-1"}},
      {"how.checkpoint_every_seconds", {"-1", "1w"}},
      {"how.progress_every_seconds", {"-1"}},
      {"how.keep", {"all", "true"}}};
  EXPECT_EQ(broken.size() + 1, config_keys().size());  // data.train takes any name
  for (const auto& [key, values] : broken) {
    for (const std::string& value : values) {
      EXPECT_TRUE(setting_fault(key, value).starts_with("line 1 of f.yaml: " + key + " = " + value))
          << setting_fault(key, value);
    }
  }
}

TEST(Resolve, ANumberTooLargeIsCalledSoWhateverItsRule) {
  for (const char* value : {"9007199254740992", "9e18", "1e30", "1e999"}) {
    for (const char* key : {"horizon.tokens", "model.d_model", "data.test.books", "seeds.init"}) {
      EXPECT_EQ(setting_fault(key, value), "line 1 of f.yaml: " + std::string(key) + " = " + value +
                                               ": too large; at most 9007199254740991 (2^53 - 1)");
    }
  }
  EXPECT_EQ(setting_fault("train.learning_rate", "1e999"),
            "line 1 of f.yaml: train.learning_rate = 1e999: too large; at most 1.8e308");
}

TEST(Resolve, ARuleFoundLaterIsReportedWhereItsKeyStands) {
  const FlatConfig written = parse_flat_config("spec: 1\ntrain:\n  batch_tokens: 2k\n", "f.yaml");
  const auto placed = [&](const KeyError& fault) {
    try {
      throw_at_its_place(fault, written);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(placed({"train.batch_tokens", "2000", "too many"}),
            "line 3 of f.yaml: train.batch_tokens = 2k: too many");
  EXPECT_EQ(placed({"data.train", "default", "is not there"}),
            "f.yaml: data.train = default (default): is not there");
}

TEST(Resolve, EdgesOfRangesAreAccepted) {
  EXPECT_EQ(config_of("model: {n_layer: 0}\n").model.n_layer, 0);
  EXPECT_EQ(config_of("train: {schedule: {warmup: 0, final: 1}}\n").train.schedule.final, 1);
  EXPECT_EQ(config_of("train: {optimizer: {beta1: 0, clip_norm: 0}}\n").train.optimizer.beta1, 0);
  EXPECT_EQ(config_of("evaluate: {points_per_decade: 0}\n").evaluate.points_per_decade, 0);
  EXPECT_EQ(config_of("seeds: {init: 0}\n").seeds.init, 0);
  EXPECT_EQ(config_of("horizon: {tokens: 1024}\n").horizon.tokens, 1024);  // one batch
}

TEST(Resolve, ANewerSpecSaysWhatThisProgramKnows) {
  EXPECT_EQ(fault_of("horizn: 3\nspec: 2\n"),
            "line 2 of f.yaml: spec = 2: must be 1 (this program knows spec 1; a newer scalelaw "
            "may know more)");
}

TEST(Resolve, UnknownKeysGetTheNearestOne) {
  EXPECT_EQ(fault_of("train:\n  learning_rat: 0.1\n"),
            "line 2 of f.yaml: train.learning_rat = 0.1: unknown key; did you mean "
            "train.learning_rate?");
  EXPECT_NE(fault_of("modle: {n_layer: 2}\n").find("did you mean model.n_layer?"),
            std::string::npos);
  EXPECT_NE(fault_of("train: {beta2: 0.9}\n").find("did you mean train.optimizer.beta2?"),
            std::string::npos);
  EXPECT_NE(fault_of("learning_rate: 0.1\n").find("did you mean train.learning_rate?"),
            std::string::npos);
  for (const auto& [key, suggestion] : std::vector<std::pair<std::string, std::string>>{
           {"train.d_model", "model.d_model"},
           {"train.d_modl", "model.d_model"},
           {"model.learning_rat", "train.learning_rate"},
           {"model.learning_rate", "train.learning_rate"},
           {"d_model", "model.d_model"},
           {"seeds.tokens", "horizon.tokens or evaluate.tokens"},
           {"train.bta2", "train.optimizer.beta2"}}) {
    EXPECT_TRUE(setting_fault(key, "1").ends_with("unknown key; did you mean " + suggestion + "?"))
        << setting_fault(key, "1");
  }
  EXPECT_NE(fault_of("evaluate: {by_position: true}\n")
                .find("evaluate.by_position = true: unknown key; evaluate holds "
                      "evaluate.points_per_decade, "),
            std::string::npos)
      << fault_of("evaluate: {by_position: true}\n");
  EXPECT_NE(fault_of("zzz: 1\n").find("unknown key; `scalelaw explain` lists all"),
            std::string::npos);
  EXPECT_NE(fault_of("model: {n_vocab: 512}\n").find("unknown key"), std::string::npos);
  EXPECT_NE(fault_of("model: {embeddings: tie}\n").find("one of tied, untied; did you mean tied?"),
            std::string::npos);
}

TEST(Resolve, AGroupIsNoKey) {
  EXPECT_NE(fault_of("train: {optimizer: adamw}\n")
                .find("is a group, not a key; it holds train.optimizer.kind, "),
            std::string::npos);
  EXPECT_EQ(to_yaml(config_of("train: {}\ndata: {test: {}}\n")), to_yaml(RunConfig{}));
  EXPECT_NE(fault_of("trai: {}\n").find("unknown key"), std::string::npos);
  EXPECT_NE(fault_of("data.test: {}\ndata.test.a: 1k\n").find("but data.test.a is set as well"),
            std::string::npos);
  EXPECT_NE(fault_of("seeds: {init: {}}\n").find("must be a whole number"), std::string::npos);
}

TEST(Resolve, ExpressionsAreRefusedByName) {
  EXPECT_NE(fault_of("train:\n  batch_tokens: = 2^rint(log2(D))\n")
                .find("line 2 of f.yaml: train.batch_tokens = 2^rint(log2(D)): a value that "
                      "begins with '=' is an expression"),
            std::string::npos);
}

TEST(Resolve, RulesBetweenKeysNameBoth) {
  EXPECT_EQ(fault_of("train:\n  batch_tokens: 1000\n"),
            "line 2 of f.yaml: train.batch_tokens = 1000: must be a multiple of model.n_ctx = 128");
  EXPECT_EQ(fault_of("model:\n  n_ctx: 96\n"),
            "line 2 of f.yaml: train.batch_tokens = 1024 (default): must be a multiple of "
            "model.n_ctx = 96");
  EXPECT_EQ(fault_of("horizon: {tokens: 1000}\n"),
            "line 1 of f.yaml: horizon.tokens = 1000: must be at least train.batch_tokens = 1024");
  EXPECT_EQ(
      fault_of("how: {micro_batch_tokens: 384}\n"),
      "line 1 of f.yaml: how.micro_batch_tokens = 384: must divide train.batch_tokens = 1024");
  EXPECT_EQ(fault_of("how: {micro_batch_tokens: 64}\n"),
            "line 1 of f.yaml: how.micro_batch_tokens = 64: must be a multiple of model.n_ctx = "
            "128");
  EXPECT_EQ(fault_of("evaluate: {tokens: 100}\n"),
            "line 1 of f.yaml: evaluate.tokens = 100: must be at least model.n_ctx = 128");
  EXPECT_EQ(fault_of("evaluate: {noise_scale_every: 16}\ntrain: {batch_tokens: 128}\n"),
            "line 1 of f.yaml: evaluate.noise_scale_every = 16: compares the gradient of a batch "
            "with that of a part of it, and a batch of one window has none; set it to 0, or "
            "train.batch_tokens to twice model.n_ctx = 128");
  EXPECT_EQ(config_of("evaluate: {noise_scale_every: 16}\ntrain: {batch_tokens: 256}\n")
                .evaluate.noise_scale_every,
            16);
  EXPECT_EQ(fault_of("data: {test: {a: 8192, b: 100}}\n"),
            "line 1 of f.yaml: data.test.b = 100: must be at least model.n_ctx = 128");
  EXPECT_EQ(config_of("evaluate: {tokens: 100, points_per_decade: 0}\n").evaluate.tokens, 100);
  EXPECT_EQ(config_of("how: {micro_batch_tokens: 256}\n").how.micro_batch_tokens, 256);
}

TEST(Resolve, ImpossibleShapesNameTheirKey) {
  const std::string heads = fault_of("model:\n  d_model: 30\n");
  EXPECT_TRUE(heads.starts_with("line 2 of f.yaml: model.n_head = 4 (default): ")) << heads;
  const std::string ratio = fault_of("model:\n  d_ff_ratio: 2.51\n");
  EXPECT_TRUE(ratio.starts_with("line 2 of f.yaml: model.d_ff_ratio = 2.51: ")) << ratio;
  EXPECT_EQ(config_of("model: {arch: lstm, n_head: 7}\n").model.n_head, 7);  // not read
}

TEST(Nearest, FindsTyposAndNothingFar) {
  const std::vector<std::string> names = {"transformer", "lstm"};
  EXPECT_EQ(nearest("transfomer", names), "transformer");
  EXPECT_EQ(nearest("lstn", names), "lstm");
  EXPECT_EQ(nearest("LSTM", names), "");
  EXPECT_EQ(nearest("rnn", names), "");
  EXPECT_EQ(nearest("", names), "");
  EXPECT_EQ(nearest("x", names), "");
  EXPECT_EQ(nearest(std::string(100000, 'l'), names), "");
}

}  // namespace
}  // namespace scalelaw
