#include "sweeps/plan/setting_effects.h"

#include <gtest/gtest.h>

#include "tests/sweeps/plan_fixture.h"

namespace scalelaw {
namespace {

class SettingEffects : public PlanTest {
 protected:
  // What a plan says of its settings.
  std::string told(const std::string& yaml, const std::vector<std::string>& settings) const {
    SweepSpec spec = parse_sweep_spec(kBase + yaml, "s.yaml");
    for (const std::string& setting : settings) apply_setting(spec.settings, setting);
    std::string text;
    for (const std::string& warning : make_plan(spec, options_).warnings) {
      if (warning.starts_with("--set")) text += warning + "\n";
    }
    return text;
  }
};

const std::string kNoCell = "changes no cell: each is the same without it\n";

TEST_F(SettingEffects, ASettingThatChangesNoCellIsTold) {
  EXPECT_EQ(told("", {"model.d_model=16"}), "--set: model.d_model = 16: " + kNoCell);
  EXPECT_EQ(told("", {"model.d_model=16.0"}), "--set: model.d_model = 16.0: " + kNoCell);
  EXPECT_EQ(told("", {"train.learning_rate=1%"}), "--set: train.learning_rate = 1%: " + kNoCell)
      << "its default";
  EXPECT_EQ(told("", {"horizon.steps=9", "ladder.aspect=4"}),
            "--set: ladder.aspect = 4: " + kNoCell)
      << "a ladder's rule without a ladder, beside a setting that has an effect";
  EXPECT_EQ(told("arms: {a: {model: {arch: lstm}}}\n", {"model.position=rotary"}),
            "--set: model.position = rotary: " + kNoCell);
}

TEST_F(SettingEffects, OneThatChangesACellOrHowItIsTrainedIsNotTold) {
  EXPECT_EQ(told("", {"model.d_model=32"}), "");
  EXPECT_EQ(told("", {"how.log_every=7"}), "") << "no part of what it is, and still asked for";
  EXPECT_EQ(told("arms: {a: {model: {d_model: 16}}, b: {model: {d_model: 32, n_layer: 2}}}\n",
                 {"model.d_model=16"}),
            "");
  EXPECT_EQ(told("seeds: {init: = 1 / 0}\n", {"seeds.init=1"}), "") << "none could be without";
  EXPECT_EQ(told("grid: {seeds.init: [1, 2]}\n", {}), "");
}

TEST_F(SettingEffects, AHorizonThatCellsCountDifferentlyIsTold) {
  const std::string arms =
      "arms: {a: {horizon: {tokens_per_param: 20, count: total}}, "
      "b: {model: {n_layer: 2}, horizon: {tokens_per_param: 20}}}\n";
  EXPECT_EQ(told(arms, {"horizon.tokens_per_param=10"}),
            "--set: horizon.tokens_per_param = 10: is not the same for all cells, which count by "
            "non_embedding, total; --set horizon.count=NAME makes it so\n");
  EXPECT_EQ(told(arms, {"horizon.tokens_per_param=10", "horizon.count=total"}), "");
}

}  // namespace
}  // namespace scalelaw
