// Sweep files that are refused, with their line and the reason.
#include <gtest/gtest.h>

#include <string>

#include "sweeps/language/sweep_spec.h"
#include "trainer/config_error.h"

namespace scalelaw {
namespace {

const std::string kHead = "spec: 1\nname: s\n";

std::string error_of(const std::string& yaml) {
  try {
    expand(parse_sweep_spec(yaml, "s.yaml"));
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

struct BadSpec {
  const char* what;
  std::string yaml;
  int line;
  std::string says;
};

class BadSweepSpec : public testing::TestWithParam<BadSpec> {};

TEST_P(BadSweepSpec, IsRefusedWithItsLineAndReason) {
  const std::string error = error_of(GetParam().yaml);
  EXPECT_NE(error.find("line " + std::to_string(GetParam().line) + " of s.yaml"), std::string::npos)
      << error;
  EXPECT_NE(error.find(GetParam().says), std::string::npos) << error;
}

INSTANTIATE_TEST_SUITE_P(
    Structure, BadSweepSpec,
    testing::Values(
        BadSpec{"NoSpec", "name: s\n", 1, "spec: is missing"},
        BadSpec{"NoName", "spec: 1\n", 1, "name: is missing"},
        BadSpec{"BadName", "spec: 1\nname: ../x\n", 2, "is no name"},
        BadSpec{"Empty", "", 1, "empty"}, BadSpec{"NoMap", "[1, 2]", 1, "key: value"},
        BadSpec{"Unclosed", "spec: 1\nname: [\n", 2, "this [ is not closed"},
        BadSpec{"TwoDocuments", "spec: 1\nname: s\n---\nspec: 1\n", 3, "a second YAML"},
        BadSpec{"DuplicateKey", kHead + "seeds: {init: 1}\nseeds: {data: 1}\n", 4,
                "twice, first in line 3"},
        BadSpec{"DuplicateDottedKey", kHead + "seeds: {init: 1}\nseeds.init: 2\n", 4,
                "seeds.init = 2: is set twice, first in line 3"},
        BadSpec{"DuplicateDottedMap", kHead + "data: {test: {a: 1}}\ndata.test: {b: 2}\n", 4,
                "data.test = {...}: is set twice, first in line 3"},
        BadSpec{"DuplicateDottedMapInABlock",
                kHead + "blocks: [{name: b,\n data: {test: {a: 1}},\n data.test: {b: 2}}]\n", 5,
                "data.test = {...}: is set twice, first in line 4"},
        BadSpec{"DuplicateDottedMapInAnArm",
                kHead + "arms: {x: {data: {test: {a: 1}},\n data.test: {b: 2}}}\n", 4,
                "data.test = {...}: is set twice, first in line 3"},
        BadSpec{"Anchor", kHead + "seeds: &a {init: 1}\n", 3, "anchors"},
        BadSpec{"Merge", kHead + "seeds: {<<: {init: 1}}\n", 3, "merge keys"},
        BadSpec{"Null", kHead + "seeds:\n  init:\n", 4, "no value"},
        BadSpec{"NullWord", kHead + "seeds: {init: null}\n", 3, "no value"},
        BadSpec{"Tag", kHead + "seeds: {init: !!int 3}\n", 3, "tags"},
        BadSpec{"TooDeep",
                kHead +
                    "a: {b: {c: {d: {e: {f: {g: {h: {i: {j: {k: {l: {m: {n: {o: {p: {q: 1}}}}}}}}"
                    "}}}}}}}}\n",
                3, "deeper than 16"},
        BadSpec{"TypoAtTop", kHead + "modle: {n_ctx: 3}\n", 3, "did you mean model?"},
        BadSpec{"TypoOfBlocks", kHead + "block: []\n", 3, "did you mean blocks?"},
        BadSpec{"LeafWithoutItsSection", kHead + "d_modl: 3\n", 3, "did you mean model.d_model?"},
        BadSpec{"NotUtf8", kHead + "data: {train: caf\xe9}\n", 3, "byte 18 of the line (0xe9)"},
        BadSpec{"GridBesideBlocks", kHead + "blocks: [{name: b}]\ngrid: {seeds.init: [1]}\n", 4,
                "stands beside blocks"},
        BadSpec{"KeyOfTwoCombinations", kHead + "grid: {seeds.init: [1]}\nzip: {seeds.init: [2]}\n",
                4, "set twice in grid, zip and list, first in line 3"},
        BadSpec{"ListInBase", kHead + "model: {d_model: [1, 2]}\n", 3, "grid, zip or list"},
        BadSpec{"SeedsOfAnArmBesideAList",
                kHead + "seeds: {init: [1, 2]}\narms: {a: {seeds: {init: 9}}, b: {}}\n", 4,
                "seeds.init = 9: arm a sets what is a list at the top"},
        BadSpec{"NoSeeds", kHead + "seeds: {init: []}\n", 3, "seeds.init: the list is empty"},
        BadSpec{"SeedsTwice", kHead + "seeds: {init: [1, 2]}\nseeds.init: 3\n", 3,
                "seeds.init = 1: is set twice, in line 4 too"},
        BadSpec{"ListsOfSeedsTwice", kHead + "seeds: {init: [1, 2]}\nseeds.init: [3]\n", 4,
                "seeds.init = 3: is set twice, in line 3 too"}),
    [](const auto& test) { return test.param.what; });

INSTANTIATE_TEST_SUITE_P(
    Blocks, BadSweepSpec,
    testing::Values(
        BadSpec{"BlocksNoList", kHead + "blocks: {name: b}\n", 3, "must be a list of blocks"},
        BadSpec{"BlockWithoutName", kHead + "blocks:\n  - {seeds: {init: 1}}\n", 4, "has no name"},
        BadSpec{"TwoBlocksOfOneName", kHead + "blocks:\n  - {name: b}\n  - {name: b}\n", 5,
                "two blocks are named b"},
        BadSpec{"GridOfOneValue", kHead + "blocks:\n  - {name: b, grid: {seeds.init: 1}}\n", 4,
                "seeds.init = 1: takes a list in a grid"},
        BadSpec{"EmptyList", kHead + "blocks:\n  - {name: b, grid: {seeds.init: []}}\n", 4,
                "the list is empty"},
        BadSpec{"GridTypo", kHead + "blocks:\n  - {name: b, grid: {seedz.init: [1]}}\n", 4,
                "did you mean seeds?"},
        BadSpec{"ZipLengths",
                kHead + "blocks:\n  - name: b\n    zip:\n      seeds.init: [1, 2]\n"
                        "      seeds.data: [1, 2, 3]\n",
                7, "this one has 3 values, seeds.init has 2"},
        BadSpec{"SetTwiceInBlock",
                kHead + "blocks:\n  - name: b\n    seeds: {init: 1}\n    grid:\n"
                        "      seeds.init: [1, 2]\n",
                7, "is set twice in block b, first in line 5"},
        BadSpec{"GridAndList",
                kHead + "blocks:\n  - name: b\n    grid: {seeds.init: [1]}\n"
                        "    list: [{seeds: {init: 2}}]\n",
                6, "is set twice in block b"},
        BadSpec{"ListOfNumbers", kHead + "blocks:\n  - {name: b, list: [1]}\n", 4,
                "must hold keys of a configuration"},
        BadSpec{"UnknownArm", kHead + "arms: {lstm: {}}\nblocks:\n  - {name: b, arms: [lstn]}\n", 5,
                "did you mean lstm?"},
        BadSpec{"NoArms", kHead + "blocks:\n  - {name: b, arms: [x]}\n", 4, "has no arms"},
        BadSpec{"ArmTwice", kHead + "arms: {x: {}}\nblocks:\n  - {name: b, arms: [x, x]}\n", 5,
                "named twice"},
        BadSpec{"NoArmInArms", kHead + "arms: {}\n", 3, "must hold names"},
        BadSpec{"BlockInArm", kHead + "arms:\n  x: {grid: {seeds.init: [1]}}\n", 4,
                "grid: stands in a block, or at the top of a file, and not here"},
        BadSpec{"BudgetInBlock", kHead + "blocks:\n - {name: b, budget: {flops: 1}}\n", 4,
                "budget: stands at the top of a file, and not here"},
        BadSpec{"DottedBudget", kHead + "budget.flops: 3\n", 3,
                "is written as `budget: {flops: ...}`"}),
    [](const auto& test) { return test.param.what; });

INSTANTIATE_TEST_SUITE_P(
    Keep, BadSweepSpec,
    testing::Values(
        BadSpec{"InABlock", kHead + "blocks:\n - {name: b, keep: {weights: none}}\n", 4,
                "keep: stands at the top of a file, and not here"},
        BadSpec{"NoMap", kHead + "keep: weights\n", 3, "must be a map of resume_state, weights"},
        BadSpec{"Unknown", kHead + "keep: {weight: all}\n", 3, "did you mean weights?"},
        BadSpec{"NoSuchState", kHead + "keep: {resume_state: untl_complete}\n", 3,
                "keep.resume_state = untl_complete: must be one of until_complete, always"},
        BadSpec{"NoSuchWeights", kHead + "keep:\n  resume_state: until_complete\n  weights: some\n",
                5, "keep.weights = some: must be one of all, hold_out, none"},
        BadSpec{"WeightsOfAWholeCheckpoint", kHead + "keep: {weights: none}\n", 3,
                "keep.weights = none: needs `resume_state: until_complete` beside it"},
        BadSpec{"NothingHeldOut",
                kHead + "keep:\n  resume_state: until_complete\n  weights: hold_out\n", 5,
                "keep.weights = hold_out: the file holds nothing out; add `hold_out:"}),
    [](const auto& test) { return test.param.what; });

INSTANTIATE_TEST_SUITE_P(
    Sizes, BadSweepSpec,
    testing::Values(
        BadSpec{"LadderNoMap", kHead + "ladder: 7\n", 3, "ladder = 7: must hold sizes"},
        BadSpec{"LadderInABlockNoMap", kHead + "blocks:\n - {name: b, ladder: 7}\n", 4,
                "ladder = 7: must hold sizes"},
        BadSpec{"RangeInArm", kHead + "arms:\n  x: {ladder: {n: {from: 1, to: 2, sizes: 2}}}\n", 4,
                "ladder.n: a range or a list of sizes stands in a block"},
        BadSpec{"SizesInArm", kHead + "arms:\n  x: {ladder: {n: [1e4, 2e4]}}\n", 4,
                "ladder.n: a range or a list of sizes stands in a block"},
        BadSpec{"RangeInAList", kHead + "list: [{ladder.n: {from: 1, to: 2, sizes: 2}}]\n", 3,
                "ladder.n: a range or a list of sizes stands in a block"},
        BadSpec{"RangeInAGrid", kHead + "grid: {ladder.n: {from: 1, to: 2, sizes: 2}}\n", 3,
                "takes a list in a grid; a range stands in the block's ladder"},
        BadSpec{"NoSizes", kHead + "ladder: {n: []}\n", 3, "ladder.n: the list is empty"},
        BadSpec{"HalfARange", kHead + "ladder: {n: {from: 1e3}}\n", 3,
                "takes from and to with one of per_decade and sizes"},
        BadSpec{"TwoCounts", kHead + "ladder: {n: {from: 1, to: 2, sizes: 2, per_decade: 3}}\n", 3,
                "takes from and to with one of per_decade and sizes"},
        BadSpec{"NoNumber", kHead + "ladder: {n: {from: few, to: 2, sizes: 2}}\n", 3,
                "ladder.n.from = few: must be a number above 0"},
        BadSpec{"Backwards", kHead + "ladder: {n: {from: 2e3,\n to: 1e3, sizes: 2}}\n", 4,
                "ladder.n.to = 1e3: is below from"},
        BadSpec{"TooMany", kHead + "ladder: {n: {from: 1, to: 1e9, per_decade: 1e9}}\n", 3,
                "asks for more than 10000 values"},
        BadSpec{"UnknownPart", kHead + "ladder: {n: {from: 1, too: 2, sizes: 2}}\n", 3,
                "did you mean to?"},
        BadSpec{"NoBudgets", kHead + "isoflop: {centre: {law: kaplan}}\n", 3,
                "isoflop.budgets: is missing"},
        BadSpec{"NoCentre", kHead + "isoflop: {budgets: [1e12]}\n", 3,
                "isoflop.centre: is missing"},
        BadSpec{"UnknownLaw", kHead + "isoflop: {budgets: [1e12], centre: {law: kaplen}}\n", 3,
                "isoflop.centre.law = kaplen: did you mean kaplan?"},
        BadSpec{"NoExpression", kHead + "isoflop: {budgets: [1e12], centre: kaplan}\n", 3,
                "must be {law: chinchilla}, {law: kaplan}, {fit: FILE} or an expression"},
        BadSpec{"NoSpacing",
                kHead + "isoflop: {budgets: [1e12], spacing: 1, centre: {law: kaplan}}\n", 3,
                "isoflop.spacing = 1: must be above 1"},
        BadSpec{"LadderAndIsoflop",
                kHead + "blocks:\n- name: b\n  ladder: {n: 1e4}\n"
                        "  isoflop: {budgets: [1e12], centre: {law: kaplan}}\n",
                5, "is set twice in block b"},
        BadSpec{"LadderBesideBlocks", kHead + "blocks: [{name: b}]\nladder: {n: 1e4}\n", 4,
                "stands beside blocks"}),
    [](const auto& test) { return test.param.what; });

TEST(RefusedSweepSpec, TooManyCellsAreRefusedBeforeTheyAreMade) {
  std::string values = "[1";
  for (int i = 2; i <= 100; ++i) values += ", " + std::to_string(i);
  values += "]";
  const std::string yaml = kHead + "blocks: [{name: b, grid: {seeds.init: " + values +
                           ", seeds.data: " + values + ", model.n_ctx: " + values + "}}]";
  EXPECT_NE(error_of(yaml).find("more than 100000 cells, in block b"), std::string::npos);
}

// A file of some kilobytes could ask for all of a machine's memory.
TEST(RefusedSweepSpec, CellsTimesKeysAreLimitedToo) {
  std::string sets, values;
  for (int i = 0; i < 1000; ++i) {
    sets += (i == 0 ? "" : ", ") + ("s" + std::to_string(i)) + ": 1";
    values += (i == 0 ? "" : ", ") + std::to_string(i);
  }
  EXPECT_EQ(error_of(kHead + "data.test: {" + sets + "}\ngrid: {seeds.init: [" + values +
                     "], seeds.data: [1, 2, 3, 4, 5]}\n"),
            "s.yaml: asks for more than 5000000 settings in all cells together; shorten its lists");
  std::string arms, blocks;
  for (std::size_t i = 0; i <= kMaxArms; ++i) arms += "  a" + std::to_string(i) + ": {}\n";
  EXPECT_NE(error_of(kHead + "arms:\n" + arms).find("arms: holds 1001; at most 1000 are read"),
            std::string::npos);
  for (std::size_t i = 0; i <= kMaxBlocks; ++i) blocks += "- {name: b" + std::to_string(i) + "}\n";
  EXPECT_NE(error_of(kHead + "blocks:\n" + blocks).find("at most 1000 are read"),
            std::string::npos);
}

// What a terminal obeys, or nobody would read to its end.
TEST(RefusedSweepSpec, ValuesAreShownAsTextAndCut) {
  EXPECT_NE(error_of("spec: 1\nname: \"\\e[2J\\n\"\n").find("name = \\x1b[2J\\n: "),
            std::string::npos);
  const std::string message = error_of("spec: 1\nname: " + std::string(100'000, 'x') + "\n");
  EXPECT_NE(message.find("xxx...: \"xxx"), std::string::npos);
  EXPECT_LT(message.size(), 1000u);
}

TEST(RefusedSweepSpec, ControlCharactersDoNotHideTheRest) {
  // The parser takes byte 4 for the end of the file.
  EXPECT_EQ(error_of(kHead + "seeds: {init: 1}\n\x04"
                             "blocks: [{name: b}]\n"),
            "line 4 of s.yaml: byte 1 of the line (0x04) is a control character; this is no text "
            "file in UTF-8");
}

TEST(RefusedSweepSpec, MissingFileIsNamed) {
  EXPECT_THROW(read_sweep_spec("/nowhere/s.yaml"), ConfigError);
}

}  // namespace
}  // namespace scalelaw
