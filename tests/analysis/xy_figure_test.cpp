#include "analysis/figures/xy_figure.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/support/program.h"
#include "tests/support/synthetic_runs.h"
#include "tests/support/temp_dir.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

namespace fs = std::filesystem;

class Xy : public testing::Test {
 protected:
  Figure figure(const std::string& columns) {
    RunTable table = read_runs({runs_});
    Selection selection;
    keep_usable_runs(table, selection);
    return xy_figure(table, selection, xy_columns(columns), warnings_);
  }
  std::string refused(const std::string& columns) {
    try {
      figure(columns);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "";
  }
  void add(const std::function<void(SyntheticRun&)>& change) {
    SyntheticRun run;
    run.seed = ++seed_;
    change(run);
    write_synthetic_run(runs_, run);
  }
  TempDir temp_;
  fs::path runs_ = temp_.path() / "runs";
  int64_t seed_ = 0;
  std::vector<std::string> warnings_;
};

// Rates and D of their own at one size, which no law of N would take together.
TEST_F(Xy, TakesAScanOfLearningRatesAtAnyD) {
  for (const double rate : {.001, .01, .1}) {
    add([&](SyntheticRun& run) {
      run.learning_rate = rate;
      run.loss_nats = 2.5 + rate;
      run.train_tokens = rate > .05 ? 1'000'448 : 2'500'608;
    });
  }
  const Figure f = figure("learning_rate,loss_nats");
  ASSERT_EQ(f.panels.size(), 1u);
  const Panel& panel = f.panels[0];
  EXPECT_EQ(f.id, "loss_nats_against_learning_rate");
  EXPECT_EQ(panel.x.scale, AxisScale::kLog);
  EXPECT_EQ(panel.y.scale, AxisScale::kLinear) << "2.501 to 2.6";
  ASSERT_EQ(panel.series.size(), 3u);
  for (const Series& points : panel.series) {
    EXPECT_TRUE(points.scale_value) << "of one arm coloured by N";
    EXPECT_DOUBLE_EQ(points.y.at(0), 2.5 + points.x.at(0));
    EXPECT_EQ(points.names.size(), 1u);
  }
  EXPECT_EQ(figure("train_tokens,loss_nats").panels[0].x.scale, AxisScale::kLog);
}

TEST_F(Xy, ArmsHaveAColourEachAndAValueOfAllRoomOnItsAxis) {
  for (const char* arch : {"transformer", "lstm"}) {
    add([&](SyntheticRun& run) { run.arch = arch; });
  }
  const Figure f = figure("n_total,top1_accuracy");
  ASSERT_EQ(f.panels[0].series.size(), 2u);
  EXPECT_FALSE(f.colours);
  EXPECT_NE(f.panels[0].series[0].colour, f.panels[0].series[1].colour);
  EXPECT_LT(f.panels[0].y.low, .4);
  EXPECT_GT(f.panels[0].y.high, .4);
}

TEST_F(Xy, NamesRunsThatLackANumberAndRefusesWhereAllDo) {
  add([](SyntheticRun&) {});
  add([](SyntheticRun& run) { run.text_bytes_known = run.split_tokens_known = false; });
  EXPECT_EQ(figure("n_total,bits_per_byte").panels[0].series.size(), 1u);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_EQ(warnings_[0], "1 of 2 runs lack n_total or bits_per_byte and are not drawn");
}

TEST_F(Xy, RefusesWhatIsNoColumnOfNumbers) {
  add([](SyntheticRun&) {});
  EXPECT_EQ(refused("lerning_rate,loss_nats"),
            "--xy lerning_rate: no column of numbers of the runs table; did you mean "
            "learning_rate?");
  EXPECT_NE(refused("arm,loss_nats").find("there are n_layer, d_model"), std::string::npos)
      << refused("arm,loss_nats");
  for (const char* none : {"", "loss_nats", ",loss_nats", "n_total,", "a,b,c"}) {
    EXPECT_NE(refused(none).find("must be two columns"), std::string::npos) << none;
  }
}

TEST_F(Xy, ProgramDrawsEachPairAndWritesNothingOfAWrongOne) {
  for (const int64_t d_model : {8, 16, 32}) {
    add([&](SyntheticRun& run) { run.d_model = d_model; });
  }
  const fs::path out = temp_.path() / "out";
  const auto draw = [&](const std::string& second) {
    return run_program({"scalelaw-fit", "figures", runs_.string(), "--out", out.string(), "--xy",
                        "n_total,wall_seconds", "--xy", second});
  };
  const ProgramResult wrong = draw("seed_init,nothing");
  EXPECT_EQ(wrong.exit_code, 2) << wrong.output;
  EXPECT_FALSE(fs::exists(out));
  const ProgramResult right = draw("seed_init,loss_nats");
  EXPECT_EQ(right.exit_code, 0) << right.output;
  for (const char* name : {"wall_seconds_against_n_total", "loss_nats_against_seed_init"}) {
    EXPECT_TRUE(fs::exists(out / (std::string(name) + ".png"))) << name;
  }
  EXPECT_FALSE(fs::exists(out / "laws.png"));
}

}  // namespace
}  // namespace scalelaw
