#include "analysis/figures/paper_figures.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"

namespace scalelaw {
namespace {

class PaperFigures : public testing::Test {
 protected:
  // What the runs lack for a figure.
  std::string lacks(const std::string& id) const {
    const std::vector<PaperFigure> all = paper_figures(holdings(read_runs({runs_})));
    const auto figure =
        std::find_if(all.begin(), all.end(), [&](const PaperFigure& f) { return f.id == id; });
    if (figure == all.end()) return "no figure " + id;
    std::string text;
    for (const std::string& what : figure->lacks) text += (text.empty() ? "" : "; ") + what;
    return text;
  }
  void add(
      int64_t d_model, const std::function<void(SyntheticRun&)>& change = [](auto&) {}) {
    SyntheticRun run;
    run.d_model = d_model;
    run.seed = ++seed_;
    run.loss_nats = 3 * std::pow(static_cast<double>(d_model), -.1);
    change(run);
    write_synthetic_run(runs_, run);
  }
  TempDir temp_;
  std::filesystem::path runs_ = temp_.path() / "runs";
  int64_t seed_ = 0;
};

TEST_F(PaperFigures, OfOneLadderAreThoseOfSizesAndCurves) {
  for (const int64_t d_model : {8, 16, 32, 64, 128}) add(d_model);
  EXPECT_EQ(lacks("Kaplan 2"), "");
  EXPECT_EQ(lacks("Kaplan 23"), "");
  EXPECT_EQ(lacks("Chinchilla 2"), "");
  EXPECT_EQ(lacks("Kaplan 1"), "one shape at three D");
  EXPECT_EQ(lacks("Kaplan 7"), "three sizes of a Transformer and of an LSTM");
  EXPECT_EQ(lacks("Kaplan 8"), "a second test set; losses on a second test set while training");
  EXPECT_EQ(lacks("Kaplan 10"),
            "batch scans at constant learning rate: three batches at each of two sizes; the "
            "gradient noise scale of two sizes");
  EXPECT_EQ(lacks("Kaplan 20"), "loss by position while training, which no run records");
  EXPECT_EQ(lacks("Chinchilla 3"), "five sizes at each of three budgets of FLOPs");
}

TEST_F(PaperFigures, FourSizesAreTooFew) {
  for (const int64_t d_model : {8, 16, 32, 64}) add(d_model);
  EXPECT_EQ(lacks("Kaplan 23"), "five sizes of one arm at one D");
}

TEST_F(PaperFigures, AGridOfSizesAndTokensSupportsItsSurfaces) {
  for (const int64_t d_model : {8, 16, 32}) {
    for (const int64_t tokens : {500'000, 1'000'000, 2'000'000}) {
      add(d_model, [&](SyntheticRun& run) { run.train_tokens = tokens; });
    }
  }
  for (const char* id : {"Kaplan 4", "Kaplan 9", "Chinchilla 4", "Chinchilla table 3"}) {
    EXPECT_EQ(lacks(id), "") << id;
  }
}

TEST_F(PaperFigures, TestSetsArchitecturesAndShortTextsAreSeen) {
  for (const int64_t d_model : {8, 16, 32}) {
    for (const char* arch : {"transformer", "lstm"}) {
      add(d_model, [&](SyntheticRun& run) {
        run.arm = run.arch = arch;
        run.test_sets = {"books", "code"};
      });
    }
  }
  EXPECT_EQ(lacks("Kaplan 7"), "");
  EXPECT_EQ(lacks("Kaplan 8"), "");
  EXPECT_EQ(lacks("Kaplan 16"), "one size on two training texts, each read more than once");
  for (const int64_t tokens : {100'000, 200'000}) {
    add(16, [&](SyntheticRun& run) {
      run.unique_train_tokens = tokens;
      run.train_hash = std::string(32, tokens == 100'000 ? 'a' : 'b');
      run.test_sets = {"books", "code"};
    });
  }
  EXPECT_EQ(lacks("Kaplan 16"), "");
}

TEST_F(PaperFigures, AreListedWithoutDrawingAny) {
  for (const int64_t d_model : {8, 16, 32, 64, 128}) add(d_model);
  const std::filesystem::path out = temp_.path() / "out";
  const ProgramResult result =
      run_program({"scalelaw-fit", "figures", runs_.string(), "--list", "--out", out.string()});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_NE(result.output.find("| Kaplan 24 |"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("| support it | scalelaw frontier |"), std::string::npos);
}

}  // namespace
}  // namespace scalelaw
