// What a sweep resolves to, merges and costs.
#include "sweeps/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sweeps/plan/reports.h"
#include "tests/sweeps/plan_fixture.h"
#include "trainer/atomic_file.h"
#include "trainer/config_error.h"
#include "trainer/data/data_set.h"
#include "trainer/data/token_shard_writer.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

TEST_F(PlanTest, CountsStepsTokensParametersAndFlops) {
  const PlannedCell cell = plan(kBase).cells.at(0);
  EXPECT_EQ(cell.steps, 63);
  EXPECT_EQ(cell.train_tokens, 2016);
  EXPECT_EQ(cell.unique_train_tokens, 2016);
  EXPECT_EQ(cell.shape.n_vocab, 17);
  const ModelCounts counts = count(cell.shape).value();
  EXPECT_EQ(cell.n_params, 12 * 16 * 16) << "4 W^2 of attention and 8 W^2 of the MLP";
  EXPECT_EQ(cell.train_flops,
            2016 * training_flops_per_token(cell.shape, counts, CCount::kExactCausal));
  EXPECT_DOUBLE_EQ(*cell.core_hours - *cell.evaluate_core_hours, *cell.train_flops / 30e9 / 3600);
  EXPECT_GT(*cell.evaluate_core_hours, 0);
}

TEST_F(PlanTest, ExpressionsAndHorizonsAreWorkedOutForEachCell) {
  const Plan of_sweep = plan(kBase +
                             "arms: {a: {}, b: {horizon: {tokens_per_param: 1}}}\n"
                             "blocks:\n"
                             "  - {name: sizes, grid: {model.d_model: [16, 32]},\n"
                             "     train: {learning_rate: = 0.08 / sqrt(d_model)}}\n"
                             "  - {name: budget, arms: [a], horizon: {flops: 3e7}}\n");
  ASSERT_EQ(of_sweep.cells.size(), 5u);
  EXPECT_DOUBLE_EQ(of_sweep.cells[1].config.train.learning_rate, 0.08 / std::sqrt(32));
  EXPECT_EQ(of_sweep.cells[0].config.horizon.tokens, 2000) << "the base's";
  EXPECT_EQ(of_sweep.cells[2].config.horizon.tokens, 12 * 16 * 16) << "the arm's, in another form";
  EXPECT_EQ(of_sweep.cells[3].config.horizon.tokens, 12 * 2 * 16 * 2 * 16);
  const PlannedCell& budget = of_sweep.cells[4];
  EXPECT_LE(std::abs(*budget.train_flops - 3e7),
            *budget.train_flops / static_cast<double>(budget.steps) / 2);
}

TEST_F(PlanTest, WhatComesToTheSameTokensIsOneRun) {
  const Plan merged = plan(kBase +
                           "blocks:\n"
                           "  - {name: tokens, horizon: {tokens: 2016}}\n"
                           "  - {name: steps, horizon: {steps: 63}}\n"
                           "  - {name: worked_out, horizon: {tokens: = 63 * batch_tokens}}\n");
  EXPECT_EQ(merged.asked_for, 3);
  ASSERT_EQ(merged.cells.size(), 1u);
  EXPECT_EQ(merged.cells[0].places.size(), 3u);
  EXPECT_EQ(merged.cells[0].content_hash, plan(kBase).cells[0].content_hash);
}

TEST_F(PlanTest, RunsOfTheSameStepsHaveOneRateHoweverTheirHorizonIsAskedFor) {
  const std::string base =
      kBase.substr(0, kBase.find("\ntrain:") + 1) +
      "train: {batch_tokens: 32, learning_rate: = 0.1 * D^-0.3 * C^0.1}\nevaluate: {tokens: 64}\n";
  const Plan steps = plan(base + "blocks: [{name: b, horizon: {steps: 63}}]\n");
  const std::string flops = canonical(*steps.cells[0].train_flops * 0.995);
  const Plan merged = plan(base +
                           "blocks:\n"
                           "  - {name: tokens, horizon: {tokens: 2000}}\n"
                           "  - {name: steps, horizon: {steps: 63}}\n"
                           "  - {name: flops, horizon: {flops: " +
                           flops + "}}\n");
  ASSERT_EQ(merged.cells.size(), 1u);
  EXPECT_EQ(merged.cells[0].content_hash, steps.cells[0].content_hash);
}

TEST_F(PlanTest, AnExpressionsFaultNamesItsPlaceInTheSweep) {
  EXPECT_EQ(error_of(kBase + "blocks:\n - {name: b, train: {learning_rate: = 1 / nn}}\n"),
            "line 10 of s.yaml: train.learning_rate = 1 / nn: character 6 behind the =: there is "
            "no nn; there are N, D, C, n_vocab and the keys of a configuration (in block b)");
}

TEST_F(PlanTest, HoursFollowFromADevicesFileWhereItHasRows) {
  std::string file = "device: a machine\nkind: cpu\ndate: 2026-01-01\nrows:\n";
  for (const char* processes : {"1", "2"}) {
    for (const char* width : {"16", "32"}) {
      file += "  - {arch: transformer, n_layer: 1, d_model: " + std::string(width) +
              ", n_head: 2, n_ctx: 8, n_vocab: 17, batch_tokens: 32, precision: fp32, "
              "replicas: 1, processes: " +
              processes + ", step_seconds: 0.5}\n";
    }
  }
  options_.throughput.emplace(parse_device_file(file, "d.yaml"));
  const Plan priced = plan(kBase + "arms: {a: {}, b: {model: {arch: lstm}}}\n");
  const auto of_training = [](const PlannedCell& cell) {
    return *cell.core_hours - *cell.evaluate_core_hours;
  };
  EXPECT_NEAR(of_training(priced.cells[0]), 63 * 0.5 / 3600, 1e-2 * 63 * 0.5 / 3600);
  EXPECT_DOUBLE_EQ(of_training(priced.cells[1]), *priced.cells[1].train_flops / 30e9 / 3600);
  ASSERT_EQ(priced.warnings.size(), 1u);
  EXPECT_NE(priced.warnings[0].find("1 of 2 cells: the device's file has too few rows"),
            std::string::npos);
  EXPECT_NE(priced.warnings[0].find("hours at a stated 30 GFLOP/s"), std::string::npos);
  const std::string text = plan_text(priced, look_at_all(priced));
  EXPECT_NE(text.find("one core: time by a machine, measured 2026-01-01 (d.yaml)"),
            std::string::npos)
      << text;
  const Plan stated = plan(kBase + "arms: {b: {model: {arch: lstm}}}\n");
  const std::string legend = plan_text(stated, look_at_all(stated));
  EXPECT_NE(legend.find("one core: time at a stated 30 GFLOP/s (--flops-per-second), eval"),
            std::string::npos)
      << legend;
  EXPECT_NE(plan_json(stated, look_at_all(stated)).find("\"hours_source\": null"),
            std::string::npos);
}

TEST_F(PlanTest, CellsSayWhatMemoryTheyNeedAndWhichDoNotFit) {
  const std::string two_sizes = kBase + "blocks: [{name: b, grid: {model.d_model: [16, 1024]}}]\n";
  const Plan unknown = plan(two_sizes);
  ASSERT_EQ(unknown.cells.size(), 2u);
  for (const PlannedCell& cell : unknown.cells) {
    EXPECT_GT(cell.memory_bytes.value(),
              16.0 * static_cast<double>(count(cell.shape)->parameters.total()));
    EXPECT_TRUE(cell.fits);
  }
  options_.workers.jobs = 2;
  options_.memory_bytes = 600e6;  // 300 MB a run
  const Plan known = plan(two_sizes);
  EXPECT_TRUE(known.cells[0].fits);
  EXPECT_FALSE(known.cells[1].fits);
  ASSERT_FALSE(known.warnings.empty());
  EXPECT_NE(known.warnings[0].find("1 of 2 cells: need more than a run's share of this machine's "
                                   "memory, 300 MB, "),
            std::string::npos)
      << known.warnings[0];
}

// A batch of 32 tokens: what is planned is what a run's record will say (PackTest checks the same).
TEST_F(PlanTest, UniqueTokensAreThoseThatATrainerReads) {
  RunConfig config;
  config.horizon.tokens = 2000;
  config.train.batch_tokens = 32;
  EXPECT_EQ(unique_train_tokens(config, 4096), 2016) << "whole batches";
  EXPECT_EQ(unique_train_tokens(config, 2017), 2016) << "and one token more as input";
  EXPECT_EQ(unique_train_tokens(config, 2016), 2015);
  TinyDataSet small;
  small.name = "tiny";
  small.train_tokens = 1000;
  write_tiny_data_set(options_.data, small);
  const Plan planned = plan(kBase);
  EXPECT_EQ(planned.cells.at(0).unique_train_tokens, 999);
  EXPECT_FALSE(planned.warnings.empty()) << "tokens are seen more than once";
}

TEST_F(PlanTest, EqualCellsMergeAndRememberEveryPlace) {
  const Plan merged = plan(kBase + R"(
arms: {x: {}, y: {model: {n_layer: 2}}}
blocks:
  - {name: sizes, grid: {model.d_model: [16, 32]}}
  - {name: noise, grid: {seeds.init: [1, 2]}}
)");
  EXPECT_EQ(merged.asked_for, 8);
  ASSERT_EQ(merged.cells.size(), 6u);
  EXPECT_EQ(merged.cells[0].places, (std::vector<SweepPlace>{{"x", "sizes"}, {"x", "noise"}}));
  EXPECT_EQ(merged.cells[1].places, (std::vector<SweepPlace>{{"x", "sizes"}}));
}

TEST_F(PlanTest, FieldsThatAnArchitectureDoesNotReadMakeNoSecondCell) {
  const Plan merged =
      plan(kBase + "blocks: [{name: b, model.arch: lstm, grid: {model.n_head: [1, 2, 4]}}]\n");
  EXPECT_EQ(merged.asked_for, 3);
  EXPECT_EQ(merged.cells.size(), 1u);
}

TEST_F(PlanTest, WrittenOtherwiseTheSameFileHasTheSameHashes) {
  const std::string a =
      plan(kBase + "train.learning_rate: 0.02\nseeds: {init: 2}\n").cells[0].folder;
  const std::string b =
      plan("seeds.init: 2\n" + kBase + "train.learning_rate: 2%\nhow: {log_every: 3}\n")
          .cells[0]
          .folder;
  EXPECT_EQ(a, b);
}

TEST_F(PlanTest, ErrorsOfCellsNameKeyLineAndPlace) {
  const std::string error = error_of(
      kBase + "arms: {x: {}}\nblocks:\n  - name: b\n    grid:\n      model.d_modle: [3]\n");
  EXPECT_NE(error.find("line 13 of s.yaml: model.d_modle = 3: unknown key; did you mean "
                       "model.d_model?"),
            std::string::npos)
      << error;
  EXPECT_NE(error.find("block b, arm x"), std::string::npos) << error;
  EXPECT_NE(error_of(kBase + "model.d_ff_ratio: -1\n").find("model.d_ff_ratio = -1"),
            std::string::npos);
  EXPECT_NE(error_of(kBase + "blocks: [{name: b, model.d_model: 15}]\n").find("model.n_head"),
            std::string::npos);
}

TEST_F(PlanTest, DataThatDoesNotSufficeIsRefused) {
  EXPECT_NE(error_of("spec: 1\nname: s\ndata: {train: tinny}\n").find("tiny"), std::string::npos);
  EXPECT_NE(error_of(kBase + "data.test.other: 64\n").find("other"), std::string::npos);
  EXPECT_NE(error_of(kBase + "blocks: [{name: b, data.test.tiny: 2048}]\n")
                .find("data.test.tiny = 2048: must be from model.n_ctx = 8 to 1016"),
            std::string::npos);
  EXPECT_NE(error_of(kBase + "blocks: [{name: b, evaluate.tokens: 2048}]\n")
                .find("evaluate.tokens = 2048"),
            std::string::npos);
  EXPECT_NE(error_of(kBase + "blocks: [{name: b, train.batch_tokens: 4096, horizon.tokens: 8192}]")
                .find("train.batch_tokens = 4096"),
            std::string::npos);
}

TEST_F(PlanTest, RulesFoundOnceTheDataAreReadNameFileAndLine) {
  EXPECT_EQ(
      error_of(kBase + "blocks:\n  - {name: b, train.batch_tokens: 4096, horizon.tokens: 8k}\n"),
      "line 10 of s.yaml: train.batch_tokens = 4096: the train split of tiny has only 4096 "
      "tokens, and must have more than a batch; build a larger data set or set a smaller "
      "batch (in block b)");
  EXPECT_TRUE(
      error_of("spec: 1\nname: s\ndata: {train: tinny}\n")
          .starts_with("line 3 of s.yaml: data.train = tinny: data set \"tinny\" is not in "));
  EXPECT_TRUE(error_of("spec: 1\nname: s\ndata: {train: tiny}\n")
                  .starts_with("s.yaml: data.test.tiny = 131072 (default): must be from"))
      << error_of("spec: 1\nname: s\ndata: {train: tiny}\n");
  TinyDataSet foreign;
  foreign.name = "foreign";
  foreign.tokenizer_hash = std::string(32, 'b');
  write_tiny_data_set(options_.data, foreign);
  EXPECT_TRUE(error_of(kBase + "arms:\n  x:\n    data.test.foreign: 64\n")
                  .starts_with("line 11 of s.yaml: data.test.foreign = 64: the set was made with "
                               "another tokenizer than data.train = tiny"));
}

TEST_F(PlanTest, CountThatAnArchitectureLacksIsRefused) {
  options_.c_count = CCount::kChinchilla;
  EXPECT_EQ(error_of(kBase), "");
  EXPECT_NE(error_of(kBase + "model.arch: lstm\n").find("--c-count chinchilla"), std::string::npos);
}

TEST_F(PlanTest, WarnsOfLongWarmupAndOfRepeatedTokens) {
  EXPECT_TRUE(plan(kBase).warnings.empty());
  const auto warnings = plan(kBase + R"(blocks:
  - {name: warm, train.schedule.warmup: 20%}
  - {name: twice, horizon.tokens: 8192}
  - {name: often, horizon.tokens: 20k}
)")
                            .warnings;
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_NE(warnings[0].find("1 of 3 cells: warm-up"), std::string::npos);
  EXPECT_NE(warnings[1].find("1 of 3 cells: the horizon is longer"), std::string::npos);
  EXPECT_NE(warnings[2].find("1 of 3 cells: more than 4 epochs"), std::string::npos);
}

// By hand: 300 d in the table, 4800 and 19200, against 12 d^2 in the layer, 3072 and 49152.
TEST_F(PlanTest, WarnsWhereEmbeddingsAreOverHalfOfTheParameters) {
  write_tiny_data_set(options_.data, {.n_vocab = 300});
  const auto warnings = plan(kBase + "grid: {model.d_model: [16, 64]}\n").warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].find("1 of 2 cells: embeddings are over half of the parameters"), 0u)
      << warnings[0];
}

TEST_F(PlanTest, SettingThatNoCellReadsIsWarnedOfOnceAtItsLine) {
  // Not of n_head: the transformers read it.
  const auto warnings = plan(kBase + R"(arms:
  tf: {}
  lstm: {model: {arch: lstm, embedding_std: 0.1}}
blocks: [{name: b, grid: {model.d_model: [16, 32]}}]
)")
                            .warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("line 11 of s.yaml: model.embedding_std = 0.1: has no effect: read "
                             "only with model.init = gpt2"),
            std::string::npos)
      << warnings[0];
  EXPECT_TRUE(plan(kBase + "model.embedding_std: 0.1\nmodel.init: gpt2\n").warnings.empty());
}

TEST_F(PlanTest, EachSweptKeyIsInTheTable) {
  const Plan planned = plan(kBase + R"(blocks:
  - {name: a, grid: {evaluate.points_per_decade: [8, 16], model.d_model: [16]}}
  - {name: b, list: [{data.test.tiny: 256}]}
)");
  const std::string text = plan_text(planned, look_at_all(planned));
  for (const char* part : {"seeds  evaluate.points_per_decade  data.test.tiny  ",
                           "1/1                             8             512  ",
                           "1/1                            16             512  ",
                           "1/1                             8             256  "}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST_F(PlanTest, StartsAndWritesNothing) {
  const Plan planned = plan(kBase);
  EXPECT_NE(plan_text(planned, look_at_all(planned)).find("missing"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(options_.runs));
}

TEST_F(PlanTest, ASweepWithoutBlocksIsOneCellOnOneCore) {
  options_.workers.jobs = 2;
  const Plan planned = plan(kBase);
  ASSERT_EQ(planned.cells.size(), 1u);
  const std::string text = plan_text(planned, look_at_all(planned));
  EXPECT_NE(text.find("1 cell, "), std::string::npos) << text;
  EXPECT_NE(text.find(" on 1 core\n"), std::string::npos) << text;
}

TEST_F(PlanTest, RecordListsEveryCellOnce) {
  const Plan planned = plan(kBase + "blocks: [{name: b, grid: {seeds.init: [1, 2, 1]}}]\n");
  const SweepRecord record = record_of(planned);
  ASSERT_EQ(record.cells.size(), 2u);
  EXPECT_EQ(record.cells[1].folder, planned.cells[1].folder);
  EXPECT_EQ(record.cells[1].content_hash, planned.cells[1].content_hash);
}

// The tiny sets of several sizes are one stream, cut.
TEST_F(PlanTest, WarnsOfTrainSetsThatAreNotNested) {
  const auto warnings = [&](const std::string& sets) {
    std::string text;
    for (const std::string& each : plan(kBase + sets).warnings) text += each + "\n";
    return text;
  };
  write_tiny_data_set(options_.data, {.name = "half", .train_tokens = 2048});
  write_tiny_data_set(options_.data, {.name = "again"});
  EXPECT_EQ(warnings("grid: {data.train: [tiny, half, again]}\n").find("nested"),
            std::string::npos);
  // The same but for its last token.
  const std::filesystem::path other = options_.data / "other";
  write_tiny_data_set(options_.data, {.name = "other", .train_tokens = 3000});
  DataSetInfo set = open_data_set(options_.data, "other");
  TokenShardInfo info = set.splits.at(Split::kTrain);
  std::vector<uint32_t> tokens(3000, 0);
  {
    const TokenShard shard(shard_file(set, Split::kTrain));
    std::vector<int64_t> ids(3000);
    shard.copy(0, ids);
    std::ranges::copy(ids, tokens.begin());
  }
  tokens.back() = (tokens.back() + 1) % 17;
  write_token_shard(shard_file(set, Split::kTrain), tokens, info);
  info = TokenShard::read_info(shard_file(set, Split::kTrain));
  auto json = nlohmann::json::parse(read_whole_file(other / kDataSetFile));
  json["splits"]["train"]["token_hash"] = info.token_hash;
  std::ofstream(other / kDataSetFile) << json;
  const std::string found = warnings("grid: {data.train: [tiny, other]}\n");
  EXPECT_NE(found.find("data sets that are not nested (other of tiny is no beginning)"),
            std::string::npos)
      << found;
  EXPECT_EQ(warnings("arms: {a: {data.train: tiny}, b: {data.train: other}}\n").find("nested"),
            std::string::npos)
      << "arms that train on different text are a comparison of text";
}

}  // namespace
}  // namespace scalelaw
