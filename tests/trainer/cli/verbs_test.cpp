#include "trainer/cli/verbs.h"

#include <gtest/gtest.h>

#include <set>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

TEST(Verbs, EachNameStandsOnceAndFitsTheOverview) {
  std::set<std::string_view> names;
  for (const Verb& verb : verbs()) {
    EXPECT_TRUE(names.insert(verb.name).second) << verb.name;
    EXPECT_LT(verb.name.size(), 10u);
    EXPECT_LT(verb.what.size(), 80u) << verb.what;
    EXPECT_NE(overview().find(verb.what), std::string::npos);
  }
}

TEST(Verbs, VerbsOfAGroupStandTogether) {
  std::set<std::string_view> seen;
  std::string_view group;
  for (const Verb& verb : verbs()) {
    if (verb.group == group) continue;
    group = verb.group;
    EXPECT_TRUE(seen.insert(group).second) << group << " is split";
  }
}

TEST(Dispatch, ProgramOfOneVerbTakesTheNextWordAsItsOwn) {
  const Dispatch to = dispatch({"data", "build", "corpus.txt"});
  EXPECT_EQ(to.verb->program, "scalelaw-data");
  EXPECT_EQ(to.arguments, (std::vector<std::string>{"build", "corpus.txt"}));
}

TEST(Dispatch, ProgramOfSeveralVerbsIsToldWhich) {
  EXPECT_EQ(dispatch({"train", "run.yaml"}).arguments,
            (std::vector<std::string>{"train", "run.yaml"}));
  const Dispatch to = dispatch({"compare", "a.json"});
  EXPECT_EQ(to.verb->program, "scalelaw-fit");
  EXPECT_EQ(to.arguments, (std::vector<std::string>{"compare", "a.json"}));
}

TEST(Dispatch, HelpOfAVerbIsThatVerbsHelp) {
  EXPECT_EQ(dispatch({"help", "sweep"}).arguments, std::vector<std::string>{"--help"});
  EXPECT_EQ(dispatch({"help", "fit"}).arguments, (std::vector<std::string>{"fit", "--help"}));
  for (const char* alone : {"help", "--help", "-h"}) {
    EXPECT_EQ(dispatch({alone}).verb->name, "help");
  }
  EXPECT_EQ(dispatch({}).verb->name, "help");
  EXPECT_EQ(dispatch({"--version"}).verb->name, "version");
}

TEST(Dispatch, TypoNamesTheNearestVerb) {
  try {
    dispatch({"swep", "run"});
    FAIL();
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean sweep?"), std::string::npos)
        << error.what();
  }
  EXPECT_THROW(dispatch({"help", "nothing-like-it"}), ConfigError);
  EXPECT_THROW(dispatch({""}), ConfigError);
}

}  // namespace
}  // namespace scalelaw
