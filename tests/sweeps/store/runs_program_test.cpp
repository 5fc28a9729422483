// `scalelaw runs` as a user calls it: exit codes and messages.
#include <nlohmann/json.hpp>

#include "tests/support/program.h"
#include "tests/sweeps/store/store_fixture.h"

namespace scalelaw {
namespace {

class RunsProgram : public StoreTest {
 protected:
  ProgramResult runs(std::vector<std::string> words) const {
    words.insert(words.begin(), "scalelaw-runs");
    words.insert(words.end(), {"--runs", runs_.string()});
    return run_program(words);
  }
};

TEST_F(RunsProgram, EveryVerbHasHelpWithAnExample) {
  for (const char* verb : {"list", "show", "diff", "export", "import", "verify", "clean"}) {
    const ProgramResult result = run_program({"scalelaw-runs", verb, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_NE(result.output.find("Example: scalelaw runs " + std::string(verb)), std::string::npos)
        << result.output;
  }
}

TEST_F(RunsProgram, BadInputEndsWithTwoAndOneLineAndWritesNothing) {
  const auto before = files_below(temp_.path());
  const std::string out = (temp_.path() / "o.tar.zst").string();
  const std::vector<std::vector<std::string>> bad = {{"list", "--where", "N >"},
                                                     {"list", "--sort", "los"},
                                                     {"lst"},
                                                     {"list", "--jsn"},
                                                     {"show", "lstm"},
                                                     {"show", "nothing-like-it"},
                                                     {"diff", name(0)},
                                                     {"list", "--sweep", "none"},
                                                     {"export", "--out", out},
                                                     {"export", "zzz", "--out", out},
                                                     {"import", "not there"},
                                                     {"import", "x", "--max-files", "-1"},
                                                     {"clean", "--keep", "some"},
                                                     {"export", name(0)},
                                                     {"verify", "--where", "(N > 3"},
                                                     {"list", "--where", "name == '\n"}};
  for (const auto& words : bad) {
    const ProgramResult result = runs(words);
    EXPECT_EQ(result.exit_code, 2) << words[0] << ": " << result.output;
    EXPECT_EQ(std::ranges::count(result.output, '\n'), 1) << result.output;
  }
  EXPECT_EQ(run_program({"scalelaw-runs", "list", "--runs", "not there"}).exit_code, 2);
  EXPECT_TRUE(files_below(temp_.path()) == before);
}

TEST_F(RunsProgram, ListShowAndDiffAnswer) {
  const auto list = nlohmann::json::parse(
      runs({"list", "--where", "model.arch == lstm", "--sort", "N", "--reverse", "--json"}).output);
  ASSERT_EQ(list.at("runs").size(), 2u);
  EXPECT_EQ(list["runs"][0]["config"]["model.d_model"], 32);
  EXPECT_EQ(list["runs"][0]["sweeps"], nlohmann::json({"many"}));
  const ProgramResult show = runs({"show", plan_.cells[1].content_hash.substr(0, 10)});
  EXPECT_EQ(show.exit_code, 0);
  EXPECT_TRUE(show.output.starts_with(name(1) + "  complete\n")) << show.output;
  const ProgramResult diff = runs({"diff", name(0), name(1)});
  EXPECT_NE(diff.output.find("model.d_model"), std::string::npos) << diff.output;
}

TEST_F(RunsProgram, DamageEndsVerifyWithOne) {
  EXPECT_EQ(runs({"verify"}).exit_code, 0);
  overwrite(folder(2).record(), "");
  const ProgramResult result = runs({"verify"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find(name(2) + "/run.json"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("what to do: "), std::string::npos);
  EXPECT_EQ(runs({"verify", name(1)}).exit_code, 0);
}

TEST_F(RunsProgram, SweepTravelsToAnotherStoreAndWhatIsInItsPlaceIsSaid) {
  const std::string archive = (temp_.path() / "a.tar.zst").string();
  const std::string there = (temp_.path() / "there").string();
  exclude_cell(sweep_record_file(runs_, "many"),
               {plan_.cells[1].content_hash, name(1), "its GPU\x1b[2J", ""});
  EXPECT_EQ(runs({"export", "--sweep", "many", "--out", archive}).exit_code, 0);
  const auto import = [&](std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"scalelaw-runs", "import", archive, "--runs", there};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words);
  };
  const std::string dry_run = import({"--dry-run"}).output;
  EXPECT_NE(dry_run.find("6 to import"), std::string::npos) << dry_run;
  EXPECT_NE(dry_run.find("would import the exclusion of " + name(1) +
                         R"( from sweep many (its GPU\x1b[2J))"),
            std::string::npos)
      << dry_run;
  EXPECT_FALSE(fs::exists(there));
  EXPECT_EQ(import().exit_code, 0);
  const ProgramResult again = import();
  EXPECT_EQ(again.exit_code, 0);
  EXPECT_NE(again.output.find("0 imported (0 B), 6 kept, 0 not imported"), std::string::npos)
      << again.output;
  fs::remove(fs::path(there) / name(0) / "run.json");
  EXPECT_EQ(import().exit_code, 1);
  EXPECT_EQ(import({"--max-files", "3"}).exit_code, 2);
}

TEST_F(RunsProgram, ExportSaysOfHowManyRunsTheWeightsThatItIsToCarryAreNotThere) {
  const std::string left_out = "without weights, which were not kept";
  const auto exported = [&](const std::string& to) {
    return runs({"export", "--sweep", "many", "--weights", "--out", (temp_.path() / to).string()})
        .output;
  };
  EXPECT_EQ(exported("all.tar.zst").find(left_out), std::string::npos);
  fs::remove_all(folder(0).checkpoints());
  const std::string output = exported("some.tar.zst");
  EXPECT_NE(output.find(left_out + " (how.keep, `runs clean --keep none`): 1 run\n"),
            std::string::npos)
      << output;
}

TEST_F(RunsProgram, CleanFreesWhatItsDryRunSays) {
  const auto dry =
      nlohmann::json::parse(runs({"clean", "--keep", "none", "--dry-run", "--json"}).output);
  const auto done = nlohmann::json::parse(runs({"clean", "--keep", "none", "--json"}).output);
  EXPECT_EQ(dry, done);
  EXPECT_EQ(done.at("removed").size(), 4u);
}

TEST_F(RunsProgram, CleanEndsWithOneWhereSomethingWasLeft) {
  EXPECT_EQ(runs({"clean", "--keep", "asked"}).exit_code, 0);
  overwrite(checkpoint_file(folder(0), plan_.cells[0].steps), "no tensors");
  const ProgramResult result = runs({"clean", "--keep", "weights"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("left: "), std::string::npos) << result.output;
}

TEST_F(RunsProgram, CleanAsAskedLeavesAllWhereARecordCannotBeRead) {
  std::ofstream(sweep_record_file(runs_, "other")) << "{";
  const std::string before = read_whole_file(checkpoint_file(folder(0), plan_.cells[0].steps));
  const ProgramResult result = runs({"clean", "--keep", "asked"});
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("what it asks to keep is not known"), std::string::npos)
      << result.output;
  EXPECT_EQ(read_whole_file(checkpoint_file(folder(0), plan_.cells[0].steps)), before);
}

TEST_F(RunsProgram, StoreThatMayNotBeWrittenIsListedWithoutAnIndex) {
  fs::permissions(runs_, fs::perms::owner_read | fs::perms::owner_exec);
  const ProgramResult result = runs({"list"});
  fs::permissions(runs_, fs::perms::owner_all);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find("4 runs: 4 complete"), std::string::npos) << result.output;
}

}  // namespace
}  // namespace scalelaw
