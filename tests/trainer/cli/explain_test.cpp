#include "trainer/cli/explain.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "trainer/sweep_keys.h"

namespace scalelaw {
namespace {

std::vector<ConfigKey> two_keys() {
  ConfigKey rate;
  rate.name = "train.learning_rate";
  rate.type = "a number";
  rate.default_text = "0.01";
  rate.rule = "> 0";
  rate.help = "Peak rate. Tune it.";
  ConfigKey log;
  log.name = "how.log_every";
  log.type = "a whole number";
  log.default_text = "0";
  log.unit = "steps";
  log.help = "Lines of metrics.";
  log.identity = false;
  return {rate, log};
}

TEST(Explain, AKeyGivesEverythingKnownOfIt) {
  const std::string text = explain(two_keys(), "train.learning_rate");
  for (const char* part : {"Peak rate. Tune it.", "a number", "0.01", "> 0", "another run"}) {
    EXPECT_NE(text.find(part), std::string::npos) << text;
  }
  EXPECT_EQ(text.find("unit:"), std::string::npos) << "an empty unit is left out";
  EXPECT_NE(explain(two_keys(), "how.log_every").find("free to change"), std::string::npos);
}

TEST(Explain, ABeginningGivesALineForEachKeyBelowIt) {
  EXPECT_EQ(explain(two_keys(), "train"), "train.learning_rate  0.01  Peak rate\n");
  EXPECT_EQ(explain(two_keys(), "train."), explain(two_keys(), "train"));
}

TEST(Explain, NothingGivesALineForEveryKey) {
  const std::string all = explain(config_keys(), "");
  EXPECT_EQ(static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')),
            config_keys().size() + 2 + sweep_keys().size());
}

TEST(Explain, TypoNamesTheNearestKeyOrGroup) {
  const auto message = [](std::string_view query) -> std::string {
    try {
      return explain(two_keys(), query);
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_NE(message("train.lerning_rate").find("did you mean train.learning_rate?"),
            std::string::npos);
  EXPECT_NE(message("trian").find("did you mean train?"), std::string::npos);
  EXPECT_THROW(explain(two_keys(), "tra"), ConfigError) << "half a word is no group";
}

TEST(Explain, KeysOfASweepFileAreKnown) {
  for (const SweepKey& key : sweep_keys()) {
    EXPECT_NE(explain(config_keys(), key.name).find("a sweep file"), std::string::npos);
  }
  EXPECT_THROW(explain(config_keys(), "foo"), ConfigError);
}

TEST(Explain, UsualNamesOfOthersLeadToOurs) {
  const auto message = [](std::string_view query) -> std::string {
    try {
      return explain(config_keys(), query);
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_NE(message("train.lr").find("did you mean train.learning_rate?"), std::string::npos);
  EXPECT_NE(message("bs").find("did you mean train.batch_tokens?"), std::string::npos);
  EXPECT_EQ(message("foo").find("did you mean"), std::string::npos) << message("foo");
}

TEST(Explain, IdentitySaysWhereAKeyIsNotAlwaysRead) {
  EXPECT_NE(explain(config_keys(), "model.embedding_std").find("where the model reads it"),
            std::string::npos);
  EXPECT_EQ(explain(config_keys(), "model.d_model").find("where the model reads it"),
            std::string::npos);
}

TEST(Explain, EveryKeyOfTheConfigurationSaysWhatItIs) {
  for (const ConfigKey& key : config_keys()) {
    EXPECT_FALSE(key.help.empty()) << key.name;
    EXPECT_FALSE(key.type.empty()) << key.name;
  }
}

}  // namespace
}  // namespace scalelaw
