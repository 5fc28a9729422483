// What `scalelaw budget` and `scalelaw rank` print, as a reader meets it.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "analysis/budget/answer.h"
#include "analysis/budget/plain_words.h"
#include "analysis/published/published_laws.h"
#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

BudgetAnswer answer_to(const std::string& words, const BudgetOptions& options = {}) {
  return answer_budget(budget_question({words}), published_planning_laws(), options);
}

// epoch stands second among the published.
BudgetAnswer epoch_on(const std::string& words, const BudgetOptions& options = {}) {
  std::vector<PlanningLaw> laws = published_planning_laws();
  std::swap(laws[0], laws[1]);
  EXPECT_EQ(laws[0].name, "epoch");
  return answer_budget(budget_question({words}), laws, options);
}

TEST(PlainWords, AreRounded) {
  EXPECT_EQ(in_plain_words(16734567890.), "17 billion");
  EXPECT_EQ(in_plain_words(1.34e12), "1.3 trillion");
  EXPECT_EQ(in_plain_words(9.96e8), "1 billion");
  EXPECT_EQ(in_plain_words(4012), "4,000");
  EXPECT_EQ(in_plain_words(19.6), "20");
  EXPECT_EQ(in_plain_words(2.46), "2.5");
  EXPECT_EQ(range_in_words({1.23e10, 2.19e10}), "12 to 22 billion");
  EXPECT_EQ(range_in_words({9e8, 2.1e9}), "900 million to 2.1 billion");
  EXPECT_EQ(loss_in_words(2.0789, Interval{2.056, 2.102}), "2.08 (2.06 to 2.10)");
  EXPECT_EQ(loss_in_words(2.4386, Interval{2.433, 2.444}), "2.439 (2.433 to 2.444)");
  EXPECT_EQ(time_in_words(30 * 86400.), "30 days");
  EXPECT_EQ(time_in_words(5400), "90 minutes");
  EXPECT_EQ(time_in_words(1), "1 second");
  EXPECT_EQ(flops_in_words(1.6e11), "1.6e11 FLOPs");
  EXPECT_EQ(flops_in_words(1e24), "1e24 FLOPs");
}

TEST(BudgetAnswer, OfMachinesIsTheClosedForm) {
  const auto json = epoch_on("100 A100s for a month", {.5, std::nullopt}).json;
  const PublishedSurface& p = *published_surface("epoch");
  const double c = 100 * 312e12 * .5 * 30 * 86400;
  const double sum = p.alpha + p.beta;
  const double n =
      std::pow(p.alpha * p.a / (p.beta * p.b), 1 / sum) * std::pow(c / 6, p.beta / sum);
  const double d = c / (6 * n);
  EXPECT_NEAR(json["plan"]["flops"].get<double>() / c, 1, 1e-10);
  EXPECT_NEAR(json["plan"]["n"].get<double>() / n, 1, 1e-10);
  EXPECT_NEAR(json["plan"]["d"].get<double>() / d, 1, 1e-10);
  const double loss = p.e + p.a * std::pow(n, -p.alpha) + p.b * std::pow(d, -p.beta);
  EXPECT_NEAR(json["plan"]["loss"].get<double>() / loss, 1, 1e-10);
  EXPECT_LT(json["plan"]["n_interval"]["low"].get<double>(), n);
  EXPECT_GT(json["plan"]["n_interval"]["high"].get<double>(), n);
  EXPECT_EQ(json["others"].size(), 2u) << "disagreement stands beside it";
}

TEST(BudgetAnswer, SaysHowFarItLiesBeyondTheRuns) {
  const BudgetAnswer far = epoch_on("10,000 H100s for a month");
  ASSERT_EQ(far.warnings.size(), 1u);
  EXPECT_NE(far.warnings[0].find("20 times beyond the largest model"), std::string::npos)
      << far.warnings[0];
  EXPECT_TRUE(epoch_on("1 B parameters").warnings.empty());
}

TEST(BudgetAnswer, AModelThatDoesNotFitTheMachinesIsSaid) {
  const BudgetAnswer answer = epoch_on("100 B parameters on 8 A100-80GB");
  EXPECT_FALSE(answer.json["memory_fits"].get<bool>());
  ASSERT_FALSE(answer.warnings.empty());
  EXPECT_NE(answer.warnings[0].find("does not fit"), std::string::npos) << answer.warnings[0];
  EXPECT_NE(answer.warnings[0].find("it needs 20 of them at least"), std::string::npos)
      << answer.warnings[0];
  EXPECT_TRUE(epoch_on("10 B parameters on 8 A100-80GB").json["memory_fits"].get<bool>());
}

TEST(BudgetAnswer, ALossBelowTheFloorIsNeverReached) {
  const BudgetAnswer answer = epoch_on("loss 1.5");
  EXPECT_FALSE(answer.json["plan"]["reached"].get<bool>());
  EXPECT_NE(to_markdown(answer.document, "").find("never reached"), std::string::npos);
}

TEST(BudgetAnswer, ComputeForLessThanATokenIsRefused) {
  EXPECT_THROW(epoch_on("1e10 FLOPs on 10 B parameters"), ConfigError);
}

TEST(BudgetAnswer, DataThatComputeDoesNotExhaustAreNotAllRead) {
  const auto plenty = epoch_on("1 T unique tokens and 1e20 FLOPs").json;
  const TrainingPlan fresh = plan_of_compute(published_planning_laws()[1], 1e20);
  EXPECT_NEAR(plenty["best"]["n"].get<double>() / fresh.n, 1, 1e-10);
  EXPECT_NEAR(plenty["best"]["epochs"].get<double>() * 1e12 / fresh.d, 1, 1e-10);
  const auto scarce = epoch_on("100 B unique tokens and 1e23 FLOPs").json;
  const double best = scarce["best"]["loss"].get<double>();
  for (const auto& row : scarce["readings"]) EXPECT_LE(best, row["loss"].get<double>());
  EXPECT_NEAR(
      scarce["best"]["n"].get<double>() * scarce["best"]["epochs"].get<double>() * 6e11 / 1e23, 1,
      1e-10);
}

TEST(BudgetAnswer, WhatWasSaidIsNotRounded) {
  EXPECT_NE(to_markdown(epoch_on("10 B parameters on 256 H100").document, "").find("On 256 H100"),
            std::string::npos);
  EXPECT_NE(to_markdown(epoch_on("100 A100s for a month", {{}, 2}).document, "")
                .find("Price: 144,000 (72,000 hours at 2)"),
            std::string::npos);
}

TEST(BudgetAnswer, ALawWithoutACovarianceHasNoRanges) {
  const BudgetAnswer answer = answer_to("10 B parameters");
  EXPECT_EQ(answer.json["law"], "chinchilla");
  EXPECT_TRUE(answer.json["plan"]["loss_interval"].is_null());
  EXPECT_NE(to_markdown(answer.document, "").find("comes without a range"), std::string::npos);
}

// No sentence, cell or list makes anybody read seven digits.
TEST(BudgetAnswer, AManagersPageHasRoundNumbers) {
  for (const char* words :
       {"100 A100s for a month", "10 B parameters: tokens", "1 T tokens: size",
        "10 B to 100 B: gain", "10,000 H100s for a month", "loss 2.1",
        "7 B parameters, 2 T inference tokens", "100 B unique tokens, 64 H100s for 30 days"}) {
    std::string page = to_markdown(epoch_on(words, {std::nullopt, 2}).document, "");
    page = std::regex_replace(page, std::regex("arXiv [0-9.]+"), "");
    std::smatch found;
    EXPECT_FALSE(std::regex_search(page, found, std::regex("[0-9]\\.[0-9]{4}|[0-9]{6}")))
        << words << ": " << found.str() << '\n'
        << page;
    ASSERT_EQ(page.rfind("**", 0), 0u) << "the answer comes first";
    const std::string lead = page.substr(0, page.find("\n"));
    EXPECT_LT(lead.size(), 400u) << lead;
    EXPECT_EQ(lead.find("FLOP"),
              std::string(words) == "loss 2.1" ? lead.find("FLOP") : std::string::npos)
        << lead;
  }
}

TEST(BudgetProgram, AnswersWordsAndOptionsAlike) {
  const ProgramResult words =
      run_program({"scalelaw-fit", "budget", "100", "A100s", "for", "30", "days", "--json"});
  ASSERT_EQ(words.exit_code, 0) << words.output;
  const ProgramResult options =
      run_program({"scalelaw-fit", "budget", "--gpus", "100xA100", "--days", "30", "--json"});
  ASSERT_EQ(options.exit_code, 0) << options.output;
  EXPECT_EQ(nlohmann::json::parse(words.output)["plan"],
            nlohmann::json::parse(options.output)["plan"]);
  const ProgramResult law = run_program(
      {"scalelaw-fit", "budget", "10", "B", "parameters", "--law", "chinchilla", "--json"});
  EXPECT_EQ(nlohmann::json::parse(law.output)["law"], "chinchilla");
}

TEST(BudgetProgram, RefusesBadOptionsInOneLine) {
  const auto fault = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"scalelaw-fit", "budget"});
    const ProgramResult result = run_program(more);
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_EQ(result.output.find('\n'), result.output.size() - 1) << result.output;
    return result.output;
  };
  EXPECT_NE(fault({"10", "B", "parameters", "--law", "chinchila"}).find("did you mean chinchilla"),
            std::string::npos);
  EXPECT_NE(fault({"10", "B", "parameters", "--utilisation", "140%"}).find("--utilisation"),
            std::string::npos);
  EXPECT_NE(fault({"10", "B", "parameters", "--price", "-2"}).find("--price"), std::string::npos);
  EXPECT_NE(fault({"--params", "plenty"}).find("not understood"), std::string::npos);
  EXPECT_NE(fault({"10", "B", "parameters", "--from", "/nowhere"}).find("/nowhere"),
            std::string::npos);
  fault({"10", "B", "parameters", "--arm", "a"});
  fault({});
}

class OwnRuns : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<SyntheticRun> runs;
    for (const int64_t width : {16, 24, 32, 48, 64}) {
      for (const int64_t steps : {300, 1000, 3000, 9000}) {
        SyntheticRun run;
        run.d_model = width;
        run.train_tokens = 1024 * steps;
        run.learning_rate = .08 / std::sqrt(static_cast<double>(width * steps));
        const double n = 24.0 * static_cast<double>(width * width);
        run.loss_nats = 1.2 + 8 * std::pow(n, -.3) +
                        90 * std::pow(static_cast<double>(run.train_tokens), -.35) +
                        .002 * std::cos(static_cast<double>(7 * width + steps));
        runs.push_back(run);
      }
    }
    record_ = write_synthetic_sweep(temp_.path() / "runs", "s", runs).string();
  }
  TempDir temp_;
  std::string record_;
};

TEST_F(OwnRuns, AreALawToPlanBy) {
  const ProgramResult result =
      run_program({"scalelaw-fit", "budget", "1e14", "FLOPs", "--from", record_, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["law"], "own fit");
  const double g = std::pow(.3 * 8 / (.35 * 90), 1 / .65);
  const double n = g * std::pow(1e14 / 6, .35 / .65);
  EXPECT_LT(json["plan"]["n_interval"]["low"].get<double>(), n);
  EXPECT_GT(json["plan"]["n_interval"]["high"].get<double>(), n);
  EXPECT_EQ(json["others"].size(), 3u);
}

TEST_F(OwnRuns, HaveTheirFormsRanked) {
  const ProgramResult shown = run_program({"scalelaw-fit", "rank", record_});
  ASSERT_EQ(shown.exit_code, 0) << shown.output;
  EXPECT_NE(shown.output.find("chinchilla (L = E + A N^-alpha + B D^-beta) tells the loss to"),
            std::string::npos)
      << shown.output;
  const ProgramResult result = run_program({"scalelaw-fit", "rank", record_, "--json"});
  const auto json = nlohmann::json::parse(result.output);
  EXPECT_EQ(json["of"], "N, D");
  EXPECT_EQ(json["taken"], "chinchilla");
  EXPECT_EQ(json["forms"].size(), 4u);
  const ProgramResult few = run_program({"scalelaw-fit", "rank", record_, "--tokens", "307200"});
  EXPECT_EQ(few.exit_code, 2) << few.output;
  EXPECT_NE(few.output.find("three rungs or more"), std::string::npos) << few.output;
}

}  // namespace
}  // namespace scalelaw
