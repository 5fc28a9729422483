#include "sweeps/cell_expressions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/model_shape.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int64_t kVocabulary = 512;

FlatConfig evaluated(const std::string& yaml) {
  FlatConfig config = parse_flat_config(yaml, "s.yaml");
  evaluate_expressions(config, [] { return kVocabulary; });
  return config;
}
RunConfig run(const std::string& yaml) {
  return resolve(evaluated("spec: 1\n" + yaml));
}
std::string fault(const std::string& yaml) {
  try {
    run(yaml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no fault";
}

constexpr const char* kModel =
    "model: {n_layer: 2, d_model: 64, n_head: 4, n_ctx: 128}\n";  // N = 98304

TEST(CellExpressions, KeysTakeTheirNumbersFromOthers) {
  const RunConfig config = run(std::string(kModel) +
                               "horizon: {tokens: = 20 * N}\n"
                               "train:\n  batch_tokens: = round_to(0.01 * D / 8, n_ctx)\n"
                               "  learning_rate: = 1.79 * N^-0.713 * D^0.307\n");
  EXPECT_EQ(config.horizon.tokens, 20 * 98304);
  EXPECT_EQ(config.train.batch_tokens, 128 * std::llrint(0.01 * 20 * 98304 / 8 / 128));
  EXPECT_DOUBLE_EQ(config.train.learning_rate,
                   1.79 * std::pow(98304, -0.713) * std::pow(20 * 98304, 0.307));
}

TEST(CellExpressions, OfTheModelItselfToo) {
  const RunConfig config = run(
      "model: {n_layer: = d_model / 32, d_model: 96, n_head: = model.d_model / 16, n_ctx: 128}\n"
      "horizon: {tokens: = 10 * N_total}\n");
  EXPECT_EQ(config.model.n_layer, 3);
  EXPECT_EQ(config.model.n_head, 6);
  ModelShape shape = config.model;
  shape.n_vocab = kVocabulary;
  EXPECT_EQ(config.horizon.tokens, 10 * count(shape)->parameters.total());
}

TEST(CellExpressions, HorizonsAreAskedForInOneOfFourWays) {
  EXPECT_EQ(run(std::string(kModel) + "horizon: {steps: 700}\ntrain: {batch_tokens: 256}\n")
                .horizon.tokens,
            700 * 256);
  EXPECT_EQ(run(std::string(kModel) + "horizon: {tokens_per_param: 20}\n").horizon.tokens,
            20 * 98304);
  EXPECT_EQ(
      run(std::string(kModel) + "horizon: {tokens_per_param: 20, count: non_embedding_plus_head}\n")
          .horizon.tokens,
      20 * (98304 + 64 * kVocabulary));
  EXPECT_NE(fault(std::string(kModel) + "horizon: {steps: 7, tokens: 1M}\n")
                .find("horizon.steps = 7: stands beside horizon.tokens; a horizon is asked for in "
                      "one way"),
            std::string::npos);
  EXPECT_NE(fault("horizon: {tokens: 1M, count: total}\n").find("says nothing beside"),
            std::string::npos);
  EXPECT_NE(fault("horizon: {flops: 1e12, count: total}\n").find("must be six_n"),
            std::string::npos);
}

TEST(CellExpressions, FlopsAreMetWithinHalfAStep) {
  for (const std::string count_name : {"exact_causal", "six_n", "exact_full", "chinchilla"}) {
    const CCount convention = *c_count_from(count_name);
    for (const double flops : {3e11, 1e12, 3.3e12, 7e13}) {
      for (const int width : {16, 40, 64, 144}) {
        for (const std::string batch : {"1024", "= 128 * 2^rint(log2(D^0.5 / 128))"}) {
          const RunConfig config =
              run("model: {n_layer: 2, d_model: " + std::to_string(width) +
                  ", n_head: 4, n_ctx: 128}\nhorizon: {flops: " + canonical(flops) +
                  ", count: " + count_name + "}\ntrain: {batch_tokens: " + batch + "}\n");
          ModelShape shape = config.model;
          shape.n_vocab = kVocabulary;
          const double a_token = training_flops_per_token(shape, *count(shape), convention);
          const double step = a_token * static_cast<double>(config.train.batch_tokens);
          const double paid = step * static_cast<double>(total_steps(config));
          EXPECT_LE(std::abs(paid - flops), step / 2 * (1 + 1e-9)) << width << " " << count_name;
        }
      }
    }
  }
}

TEST(CellExpressions, ACircleIsToldWhole) {
  EXPECT_EQ(fault("train: {batch_tokens: = D / 100}\nhorizon: {steps: 100}\n"),
            "line 2 of s.yaml: train.batch_tokens = D / 100: expressions go in a circle: D needs "
            "train.batch_tokens needs D");
  EXPECT_NE(fault("model: {n_layer: = N / 1000}\n")
                .find("in a circle: model.n_layer needs N needs model.n_layer"),
            std::string::npos);
  EXPECT_NE(fault("model: {d_model: = n_layer * 8, n_layer: = d_model / 8}\n").find("in a circle"),
            std::string::npos);
}

TEST(CellExpressions, FaultsNameFileLineKeyAndCharacter) {
  EXPECT_EQ(fault("train:\n  learning_rate: = 2 * d_modell\n"),
            "line 3 of s.yaml: train.learning_rate = 2 * d_modell: character 6 behind the =: there "
            "is no d_modell; did you mean d_model?");
  EXPECT_NE(
      fault("train: {learning_rate: = 2 * log(N)}\n").find("character 6 behind the =: log is two"),
      std::string::npos);
  EXPECT_NE(fault("train: {learning_rate: = 2 * arch}\n").find("model.arch is no number"),
            std::string::npos);
  EXPECT_NE(fault("train: {learning_rate: = 2 * kind}\n").find("there is no kind"),
            std::string::npos)
      << "two keys end so";
  EXPECT_NE(fault("train: {batch_tokens: = 1000.5 * 2.1}\n")
                .find("train.batch_tokens = 2101.05 (= 1000.5 * 2.1): must be a whole number"),
            std::string::npos)
      << fault("train: {batch_tokens: = 1000.5 * 2.1}\n");
}

TEST(CellExpressions, WhatHasNoneStaysAsItIs) {
  const std::string yaml = "spec: 1\nmodel: {d_model: 64}\ntrain: {learning_rate: 1e-2}\n";
  const FlatConfig before = parse_flat_config(yaml, "s.yaml"), after = evaluated(yaml);
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [key, value] : before) EXPECT_EQ(value.text, after.at(key).text) << key;
}

}  // namespace
}  // namespace scalelaw
