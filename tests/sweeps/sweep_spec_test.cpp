// Which cells sweep files ask for.
#include "sweeps/language/sweep_spec.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace scalelaw {
namespace {

const std::string kHead = "spec: 1\nname: s\n";

// "model.d_model=16 seeds.init=1" of each point, `spec` left out.
std::vector<std::string> points_of(const std::string& yaml) {
  std::vector<std::string> texts;
  for (const SweepPoint& point : expand(parse_sweep_spec(yaml, "s.yaml"))) {
    std::string text = point.place.arm + "/" + point.place.block + ":";
    for (const auto& [key, value] : point.config) {
      if (key != "spec") text += " " + key + "=" + value.text;
    }
    texts.push_back(text);
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(SweepSpec, WithoutArmsAndBlocksIsOneCell) {
  EXPECT_EQ(points_of(kHead + "model: {d_model: 16}\n"), Texts{"/: model.d_model=16"});
}

TEST(SweepSpec, GridZipAndListAreCrossed) {
  EXPECT_EQ(points_of(kHead + R"(
blocks:
  - name: b
    grid: {seeds.init: [1, 2]}
    zip: {model.d_model: [8, 16], train.learning_rate: [0.2, 0.1]}
    list: [{model: {n_layer: 1}}, {model: {n_layer: 2}}]
)"),
            (Texts{
                "/b: model.d_model=8 model.n_layer=1 seeds.init=1 train.learning_rate=0.2",
                "/b: model.d_model=8 model.n_layer=2 seeds.init=1 train.learning_rate=0.2",
                "/b: model.d_model=16 model.n_layer=1 seeds.init=1 train.learning_rate=0.1",
                "/b: model.d_model=16 model.n_layer=2 seeds.init=1 train.learning_rate=0.1",
                "/b: model.d_model=8 model.n_layer=1 seeds.init=2 train.learning_rate=0.2",
                "/b: model.d_model=8 model.n_layer=2 seeds.init=2 train.learning_rate=0.2",
                "/b: model.d_model=16 model.n_layer=1 seeds.init=2 train.learning_rate=0.1",
                "/b: model.d_model=16 model.n_layer=2 seeds.init=2 train.learning_rate=0.1",
            }));
}

TEST(SweepSpec, AFileWithoutBlocksMayHaveOneGridOfItsOwn) {
  EXPECT_EQ(points_of(kHead + "model: {n_layer: 1, d_model: 9}\ngrid: {seeds.init: [1, 2]}\n" +
                      "zip: {model.d_model: [8]}\narms: {a: {model: {n_layer: 3}}}\n"),
            (Texts{"a/: model.d_model=8 model.n_layer=3 seeds.init=1",
                   "a/: model.d_model=8 model.n_layer=3 seeds.init=2"}));
}

TEST(SweepSpec, SeedsMayBeLists) {
  EXPECT_EQ(points_of(kHead + "seeds: {init: [1, 2], data: 7}\n"),
            (Texts{"/: seeds.data=7 seeds.init=1", "/: seeds.data=7 seeds.init=2"}));
  EXPECT_EQ(points_of(kHead + "seeds: {data: [3, 4]}\n"
                              "blocks:\n"
                              "  - {name: a, seeds: {init: [1, 2]}}\n"
                              "  - {name: b, seeds: {data: 9}}\n"),
            (Texts{"/a: seeds.data=3 seeds.init=1", "/a: seeds.data=4 seeds.init=1",
                   "/a: seeds.data=3 seeds.init=2", "/a: seeds.data=4 seeds.init=2",
                   "/b: seeds.data=9"}));
}

TEST(SweepSpec, EntriesOfAListTakeNothingFromEachOther) {
  EXPECT_EQ(points_of(kHead + "horizon: {tokens: 1M}\nmodel: {d_model: 48}\n"
                              "blocks:\n"
                              "  - {name: b, list: [{horizon: {steps: 5}}, {model: {n_layer: 3}},\n"
                              "     {ladder: {n: 1e5}}]}\n"),
            (Texts{"/b: horizon.steps=5 model.d_model=48",
                   "/b: horizon.tokens=1M model.d_model=48 model.n_layer=3",
                   "/b: horizon.tokens=1M ladder.n=1e5"}));
}

TEST(SweepSpec, AWidthOfAnArmOrBesideTheLadderStays) {
  EXPECT_EQ(points_of(kHead + "model: {d_model: 48}\narms: {a: {model: {d_model: 32}}, b: {}}\n"
                              "blocks: [{name: s, ladder: {n: 1e5}}]\n"),
            (Texts{"a/s: ladder.n=1e5 model.d_model=32", "b/s: ladder.n=1e5"}));
  EXPECT_EQ(points_of(kHead + "model: {d_model: 48}\nladder: {n: 1e5}\n"),
            Texts{"/: ladder.n=1e5 model.d_model=48"});
}

TEST(SweepSpec, LaddersAreListsOrRangesOfSizes) {
  EXPECT_EQ(points_of(kHead + "ladder: {n: [1e4, 20k], aspect: 32}\n"),
            (Texts{"/: ladder.aspect=32 ladder.n=1e4", "/: ladder.aspect=32 ladder.n=20k"}));
  EXPECT_EQ(points_of(kHead + "ladder: {n: {from: 1e3, to: 1e4, per_decade: 2}}\n"),
            (Texts{"/: ladder.n=1000", "/: ladder.n=3162.28", "/: ladder.n=10000"}));
  EXPECT_EQ(
      points_of(kHead + "ladder: {n: {from: 1e3, to: 8e3, sizes: 4}}\n"),
      (Texts{"/: ladder.n=1000", "/: ladder.n=2000", "/: ladder.n=4000", "/: ladder.n=8000"}));
  EXPECT_EQ(
      points_of(kHead + "ladder: {aspect: 16}\nmodel: {d_model: 8}\n"
                        "blocks:\n"
                        "  - {name: b, ladder: {n: 1e4, d_head: 8}, grid: {seeds.init: [1, 2]}}\n"
                        "  - {name: c, ladder: {n: 2e4}, model: {d_model: 32}}\n"),
      (Texts{"/b: ladder.aspect=16 ladder.d_head=8 ladder.n=1e4 seeds.init=1",
             "/b: ladder.aspect=16 ladder.d_head=8 ladder.n=1e4 seeds.init=2",
             "/c: ladder.aspect=16 ladder.n=2e4 model.d_model=32"}));
}

TEST(SweepSpec, AnIsoflopIsSizesForEachBudget) {
  // Counted as the law does; Chinchilla's counts all.
  const std::string kaplan =
      " ladder.count=non_embedding ladder.n== kaplan_n(budget) ladder.times=";
  EXPECT_EQ(
      points_of(kHead + "horizon: {tokens: 1M}\n"
                        "blocks:\n"
                        "  - name: b\n"
                        "    isoflop: {budgets: [1e12, 4e12], count: six_n, sizes: 2, spacing: 4,\n"
                        "              centre: {law: kaplan}}\n"),
      (Texts{"/b: horizon.count=six_n horizon.flops=1e12" + kaplan + "0.5",
             "/b: horizon.count=six_n horizon.flops=1e12" + kaplan + "2",
             "/b: horizon.count=six_n horizon.flops=4e12" + kaplan + "0.5",
             "/b: horizon.count=six_n horizon.flops=4e12" + kaplan + "2"}));
  const auto one =
      points_of(kHead + "isoflop: {budgets: 1e12, sizes: 1, centre: {law: chinchilla}}\n");
  EXPECT_EQ(one, Texts{"/: horizon.count=exact_causal horizon.flops=1e12 ladder.count=total "
                       "ladder.n== chinchilla_n(budget) ladder.times=1"});
  EXPECT_EQ(points_of(kHead + "isoflop: {budgets: 1e12, centre: = 0.3 * budget^0.5}\n").size(), 7u);
}

TEST(SweepSpec, TwoGridKeysMakeEveryPair) {
  EXPECT_EQ(points_of(kHead + "blocks: [{name: b, grid: {seeds: {init: [1, 2], data: [3, 4, 5]}}}]")
                .size(),
            6u);
}

TEST(SweepSpec, BlockOverridesArmAndArmOverridesBase) {
  EXPECT_EQ(points_of(kHead + R"(
seeds: {init: 1, data: 1}
model: {n_layer: 1}
blocks:
  - {name: b, seeds: {init: 3}, arms: [y]}
  - {name: c}
arms:
  x: {}
  y: {seeds: {init: 2, data: 2}}
)"),
            (Texts{"y/b: model.n_layer=1 seeds.data=2 seeds.init=3",
                   "x/c: model.n_layer=1 seeds.data=1 seeds.init=1",
                   "y/c: model.n_layer=1 seeds.data=2 seeds.init=2"}));
}

TEST(SweepSpec, DottedAndNestedKeysAreTheSame) {
  EXPECT_EQ(points_of(kHead + "train.optimizer: {beta2: 0.9}\n"),
            points_of(kHead + "train: {optimizer.beta2: 0.9}\n"));
}

TEST(SweepSpec, EmptyMapEmptiesAGroupAndAMemberFillsItAgain) {
  const std::string yaml = kHead + R"(
data: {test: {a: 10, b: 20}}
arms: {x: {data: {test: {}}}}
blocks: [{name: p}, {name: q, data.test.c: 30}]
)";
  EXPECT_EQ(points_of(yaml), (Texts{"x/p: data.test={}", "x/q: data.test.c=30"}));
}

TEST(SweepSpec, ValuesKeepTheirLine) {
  const auto points = expand(parse_sweep_spec(
      kHead + "blocks:\n  - name: b\n    grid:\n      model.d_model: [8,\n        16]\n",
      "s.yaml"));
  EXPECT_EQ(points[0].config.at("model.d_model").line, 6);
  EXPECT_EQ(points[1].config.at("model.d_model").line, 7);
  EXPECT_EQ(points[1].config.at("model.d_model").file, "s.yaml");
}

TEST(SweepSpec, ContentHashIsOfTheBytes) {
  EXPECT_EQ(parse_sweep_spec(kHead, "a").content_hash, parse_sweep_spec(kHead, "b").content_hash);
  EXPECT_NE(parse_sweep_spec(kHead, "a").content_hash,
            parse_sweep_spec(kHead + "\n", "a").content_hash);
}

}  // namespace
}  // namespace scalelaw
