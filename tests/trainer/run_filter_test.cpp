// What a --where lets pass, and how it says what is wrong with it.
#include "trainer/run_filter.h"

#include <gtest/gtest.h>

#include <limits>
#include <map>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

const std::vector<FilterKey>& keys() {
  static const std::vector<FilterKey> all = {
      {"N", FactKind::kNumber},
      {"loss", FactKind::kNumber},
      {"name", FactKind::kText},
      {"state", FactKind::kText, {"complete", "diverged", "running"}},
      {"sweeps", FactKind::kList},
      {"model.arch", FactKind::kText, {"transformer", "lstm"}},
      {"train.learning_rate", FactKind::kNumber},
      {"test.*.loss_nats", FactKind::kNumber},
  };
  return all;
}

const std::map<std::string, Fact> kRun = {
    {"N", 2e6},
    {"name", std::string("lstm_l2 \"or\"ca\n-3fa9")},
    {"state", std::string("complete")},
    {"sweeps", std::vector<std::string>{"ladder", "noise"}},
    {"model.arch", std::string("lstm")},
    {"train.learning_rate", 0.01},
    {"test.wiki/val.loss_nats", 3.5},
};

bool matches(const std::string& text, const std::map<std::string, Fact>& run = kRun) {
  return RunFilter(text, keys()).matches([&](const std::string& key) -> const Fact* {
    const auto found = run.find(key);
    return found == run.end() ? nullptr : &found->second;
  });
}

std::string error_of(const std::string& text) {
  try {
    RunFilter(text, keys());
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

TEST(RunFilter, ComparesNumbersTextsAndLists) {
  for (const char* text :
       {"model.arch == lstm and N > 1e6 and state == complete", "N==2M", "N >= 2000k", "N<=2e6",
        "N != 1", "N < 2.1M", "train.learning_rate == 0.01", "train.learning_rate == 1%",
        "name ~ l2", "name ~ \"or\"", "name ~ 'ca\n-3'", "sweeps == noise", "sweeps ~ add",
        "sweeps != other", "test.wiki/val.loss_nats > 3", "name > lstm"}) {
    EXPECT_TRUE(matches(text)) << text;
  }
  for (const char* text : {"model.arch == transformer", "N > 2M", "N < 2M", "N != 2M", "name ~ L2",
                           "name == lstm", "sweeps == add", "sweeps != ladder", "sweeps ~ x"}) {
    EXPECT_FALSE(matches(text)) << text;
  }
}

TEST(RunFilter, AndBindsStrongerThanOrAndNotStrongest) {
  EXPECT_TRUE(matches("N > 1 or N > 3M and N > 4M"));
  EXPECT_FALSE(matches("(N > 1 or N > 3M) and N > 4M"));
  EXPECT_TRUE(matches("not N > 3M and N > 1"));
  EXPECT_FALSE(matches("not (N > 3M or N > 1)"));
  EXPECT_TRUE(matches("not not(N>1)"));
}

TEST(RunFilter, WhatARunHasNotIsUnequalToAllAndNeitherLessNorGreater) {
  for (const std::map<std::string, Fact>& run :
       {std::map<std::string, Fact>{},
        {{"loss", Fact(std::numeric_limits<double>::quiet_NaN())}}}) {
    EXPECT_FALSE(matches("loss < 3", run));
    EXPECT_FALSE(matches("loss >= 3", run));
    EXPECT_FALSE(matches("loss == 3", run));
    EXPECT_TRUE(matches("loss != 3", run));
    EXPECT_TRUE(matches("loss == none", run));
    EXPECT_FALSE(matches("loss != none", run));
  }
  EXPECT_TRUE(matches("N != none"));
  EXPECT_FALSE(matches("name == none"));
}

TEST(RunFilter, EmptyOneLetsAllPass) {
  EXPECT_TRUE(RunFilter().matches([](const std::string&) { return nullptr; }));
}

TEST(RunFilter, ErrorsNameThePlaceWhatStandsThereAndWhatShould) {
  const auto says = [](const std::string& filter, std::vector<std::string> parts) {
    const std::string error = error_of(filter);
    for (const std::string& part : parts) {
      EXPECT_NE(error.find(part), std::string::npos) << filter << ": " << error;
    }
    EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  };
  says("model.arc == lstm", {"character 1, at model.arc", "no such key", "mean model.arch?"});
  says("state == complte", {"character 10", "complete, diverged, running", "mean complete?"});
  says("N = 3", {"character 3, at =:", "expected =="});
  says("N > lstm", {"character 5, at lstm", "N is a number"});
  says("N ~ 3", {"contains no text"});
  says("sweeps < a", {"sweeps is a list"});
  says("N > none", {"none takes == and != alone"});
  says("(N > 3", {"character 7, at its end", "`)`"});
  says("N > 3)", {"character 6, at )", "the end"});
  says("N > 3 N < 4", {"character 7, at N"});
  says("N > 3 && N < 4", {"character 7, at &&", "`and`"});
  says("name == 'a", {"character 9", "never closed"});
  says("", {"character 1, at its end", "expected a key"});
  says("1e6 < N", {"character 1, at 1e6", "no such key"});
  says("\n\x1b[2J == 3", {"\\n\\x1b[2J"});
}

TEST(RunFilter, DeepNestingIsRefusedAndNotAStackOverflow) {
  const std::string deep(100'000, '(');
  EXPECT_NE(error_of(deep + "N > 3").find("nested deeper"), std::string::npos);
  std::string nots;
  for (int i = 0; i < 100'000; ++i) nots += "not ";
  EXPECT_NE(error_of(nots + "N > 3").find("nested deeper"), std::string::npos);
}

TEST(RunFilter, LongChainsAreNoNesting) {
  std::string text = "N > 1";
  for (int i = 0; i < 1000; ++i) text += " and N > 1";
  EXPECT_TRUE(matches(text));
}

}  // namespace
}  // namespace scalelaw
