#include "sweeps/language/cell_expressions.h"

#include <gtest/gtest.h>

#include <cmath>

#include "models/model_shape.h"
#include "sweeps/language/expression.h"
#include "sweeps/language/named_laws.h"
#include "trainer/config_error.h"
#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int64_t kVocabulary = 512;

CellNotes evaluate(FlatConfig& config) {
  ExpressionCache expressions;
  return evaluate_expressions(
      config, [] { return kVocabulary; }, expressions);
}
FlatConfig evaluated(const std::string& yaml) {
  FlatConfig config = parse_flat_config(yaml, "s.yaml");
  evaluate(config);
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
  const double trained = static_cast<double>(total_steps(config) * config.train.batch_tokens);
  EXPECT_GT(trained, 20 * 98304);
  EXPECT_DOUBLE_EQ(config.train.learning_rate,
                   1.79 * std::pow(98304, -0.713) * std::pow(trained, 0.307))
      << "of whole steps";
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
  EXPECT_EQ(
      fault("train: {batch_tokens: = D / 100}\nhorizon: {steps: 100}\n"),
      "line 2 of s.yaml: train.batch_tokens = D / 100: character 2 behind the =: expressions go "
      "in a circle: D needs "
      "train.batch_tokens needs D");
  EXPECT_NE(fault("model: {n_layer: = N / 1000}\n")
                .find("in a circle: model.n_layer needs N needs model.n_layer"),
            std::string::npos);
  EXPECT_NE(fault("model: {d_model: = n_layer * 8, n_layer: = d_model / 8}\n").find("in a circle"),
            std::string::npos);
}

TEST(CellExpressions, ACircleByALadderNamesTheWayOut) {
  const auto has = [](const std::string& yaml, const std::string& what) {
    const std::string said = fault(yaml);
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  const std::string because = ", which cannot follow from that model's d_model, n_layer, N or D: ";
  has("ladder: {n: 1e5}\nmodel: {n_head: = d_model / 16}\n",
      "line 3 of s.yaml: model.n_head = d_model / 16: character 2 behind the =: expressions go in "
      "a circle: N needs model.n_head needs d_model needs N; ladder.n chooses the model by "
      "model.n_head" +
          because + "remove it and write ladder.d_head, the features of a head");
  has("ladder: {n: 1e5}\nmodel: {n_layer: = d_model / 16}\n",
      because + "remove it and write ladder.aspect, d_model / n_layer");
  has("ladder: {n: 1e5, aspect: 16}\nmodel: {n_ctx: = n_layer * 8}\n", because + "write a number");
  // Not the first key that needed something of the circle.
  has("horizon: {tokens: = 20 * N}\nmodel: {n_head: = N / 1000}\n",
      "model.n_head = N / 1000: character 2 behind the =: expressions go in a circle: N needs "
      "model.n_head needs N");
  has("ladder: {n: 1e5, aspect: = 2 * n_layer}\n",
      "ladder.aspect = 2 * n_layer: character 6 behind the =: expressions go in a circle: N needs "
      "ladder.aspect needs n_layer needs N");
}

TEST(CellExpressions, FaultsNameFileLineKeyAndCharacter) {
  EXPECT_EQ(fault("train:\n  learning_rate: = 2 * d_modell\n"),
            "line 3 of s.yaml: train.learning_rate = 2 * d_modell: character 6 behind the =: there "
            "is no d_modell; did you mean d_model?");
  EXPECT_NE(
      fault("train: {learning_rate: = 2 * log(N)}\n").find("character 6 behind the =: log is two"),
      std::string::npos);
  EXPECT_NE(
      fault("train: {learning_rate: = 2 * arch}\n").find("model.arch = transformer is no number"),
      std::string::npos);
  EXPECT_NE(fault("train: {learning_rate: = 2 * kind}\n").find("there is no kind"),
            std::string::npos)
      << "two keys end so";
  EXPECT_NE(fault("train: {batch_tokens: = 1000.5 * 2.1}\n")
                .find("train.batch_tokens = 2101.05 (= 1000.5 * 2.1): must be a whole number"),
            std::string::npos)
      << fault("train: {batch_tokens: = 1000.5 * 2.1}\n");
}

TEST(CellExpressions, AConditionsFaultNamesItsOwnCharacter) {
  FlatConfig config = evaluated("spec: 1\nmodel: {d_model: 64}\n");
  ExpressionCache expressions;
  const auto said = [&](const std::string& condition) -> std::string {
    try {
      const SourcedText where{condition, "s.yaml", 4};
      return holds(
                 where, "hold_out.where", config, [] { return kVocabulary; }, expressions)
                 ? "holds"
                 : "holds not";
    } catch (const ConfigError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(said("d_model == 64"), "holds");
  EXPECT_EQ(said("N < 3"), "holds not");
  EXPECT_EQ(said("foo <= 3k"),
            "line 4 of s.yaml: hold_out.where = foo <= 3k: character 1: there is no foo; there are "
            "N, D, C, n_vocab and the keys of a configuration");
  EXPECT_EQ(said("N > 3k && arch == transformer"),
            "line 4 of s.yaml: hold_out.where = N > 3k && arch == transformer: character 11: "
            "model.arch = transformer is no number");
  EXPECT_EQ(said("N >"), "line 4 of s.yaml: hold_out.where = N >: its end: it ends too early");
  EXPECT_EQ(said("d_model"),
            "line 4 of s.yaml: hold_out.where = d_model: is a number, 64, and no "
            "condition, as N <= 1e6");
}

TEST(CellExpressions, ACutAtACommaIsToldToBeQuoted) {
  const auto told = [](const std::string& yaml) -> std::string {
    try {
      evaluated(yaml);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "no fault";
  };
  EXPECT_EQ(told("spec: 1\ntrain: {learning_rate: = step_law_lr(N, D)}\n"),
            "line 2 of s.yaml: train.learning_rate: an expression with a comma is quoted within "
            "{ }, as \"= max(1, 2)\"");
  EXPECT_EQ(told("train.learning_rate: = 3\nmodel:\n  {d_model: = clamp(0.1, 2),}\n"),
            "line 3 of s.yaml: model.d_model: an expression with a comma is quoted within "
            "{ }, as \"= max(1, 2)\"");
  EXPECT_NE(told("train: {learning_rate: = 2, warmup}\n").find("train.warmup: has no value"),
            std::string::npos);
}

TEST(CellExpressions, WhatHasNoneStaysAsItIs) {
  const std::string yaml = "spec: 1\nmodel: {d_model: 64}\ntrain: {learning_rate: 1e-2}\n";
  const FlatConfig before = parse_flat_config(yaml, "s.yaml"), after = evaluated(yaml);
  ASSERT_EQ(before.size(), after.size());
  for (const auto& [key, value] : before) EXPECT_EQ(value.text, after.at(key).text) << key;
}

TEST(CellExpressions, ALadderChoosesTheModelOfASize) {
  const RunConfig config =
      run("ladder: {n: 1e6, aspect: 32, d_head: 32, width_multiple: 16}\n"
          "model: {n_ctx: 128}\n"
          "train: {learning_rate: = 0.08 / sqrt(d_model)}\n"
          "horizon: {tokens_per_param: 20}\n");
  EXPECT_EQ(config.model.n_layer, 4);
  EXPECT_EQ(config.model.d_model, 144);
  EXPECT_EQ(config.model.d_head(), 36) << "of 48, 36 and 24 the one nearest to 32";
  EXPECT_EQ(config.horizon.tokens, 20 * 12 * 4 * 144 * 144);
  EXPECT_DOUBLE_EQ(config.train.learning_rate, 0.08 / std::sqrt(144.0));
}

TEST(CellExpressions, ALadderKeepsTheLayersThatTheCellSets) {
  const RunConfig config =
      run("ladder: {n: = 2e4 * 2, aspect: 32, count: total}\n"
          "model: {arch: lstm, n_layer: 1, n_ctx: 128}\n");
  EXPECT_EQ(config.model.n_layer, 1);
  EXPECT_EQ(config.model.d_model, 48) << "8 d^2 + 512 d and norms: 33k of 40, 43k of 48";
  EXPECT_EQ(run("ladder: {n: 1e5}\nmodel: {d_model: 64}\n").model.n_layer, 2);
}

// What d_ff_multiple is for, and what changes no count.
TEST(CellExpressions, KeysOfAModelMayBeExpressionsBesideALadder) {
  const RunConfig config =
      run("ladder: {n: 1e6, aspect: 32, d_ff_multiple: 64, d_head: 32}\n"
          "model: {n_ctx: 128, d_ff_ratio: = 8 / 3, n_head: = 2 * 2, embedding_std: = 0.5 / "
          "sqrt(d_model),\n"
          "        embeddings: untied}\n");
  EXPECT_EQ(config.model.d_ff() % 64, 0);
  EXPECT_EQ(config.model.n_head, 4) << "what the cell sets stays";
  EXPECT_DOUBLE_EQ(config.model.embedding_std,
                   0.5 / std::sqrt(static_cast<double>(config.model.d_model)));
}

TEST(CellExpressions, WhatALadderMissedIsNoted) {
  FlatConfig config = parse_flat_config(
      "ladder: {n: 2000}\nmodel: {n_layer: 1}\n"
      "train: {learning_rate: '= step_law_lr(N, D)'}\n",
      "s.yaml");
  const CellNotes notes = evaluate(config);
  ASSERT_TRUE(notes.size);
  EXPECT_EQ(notes.size->asked, 2000);
  EXPECT_EQ(notes.size->n, 12 * 16 * 16);
  ASSERT_EQ(notes.laws.size(), 1u);
  EXPECT_EQ(notes.laws[0]->function, "step_law_lr");
  EXPECT_EQ(config.at("model.d_model").expression, "ladder.n: 2000");
  EXPECT_FALSE(config.contains("ladder.n"));
}

TEST(CellExpressions, RulesOfALadderWithoutASizeSayNothing) {
  EXPECT_EQ(evaluated("ladder: {aspect: 32}\nmodel: {d_model: 64}\n").size(), 1u);
}

// Centre, budget and size in one cell, as an isoflop makes them.
TEST(CellExpressions, ABudgetsSizeAndStepsAreWorkedOutTogether) {
  for (const double budget : {3e11, 1e13, 1e16}) {
    for (const double times : {0.125, 1.0, 8.0}) {
      FlatConfig config = parse_flat_config(
          "ladder: {n: = chinchilla_n(budget), aspect: 32, d_head: 16}\n"
          "horizon: {count: exact_causal}\nmodel: {n_ctx: 128}\n",
          "s.yaml");
      config["ladder.times"] = {canonical(times), "s.yaml", 1};
      config["horizon.flops"] = {canonical(budget), "s.yaml", 2};
      const CellNotes notes = evaluate(config);
      const RunConfig run = resolve(config);
      ModelShape shape = run.model;
      shape.n_vocab = kVocabulary;
      const double of_step = training_flops_per_token(shape, *count(shape), CCount::kExactCausal) *
                             static_cast<double>(run.train.batch_tokens);
      const double steps =
          static_cast<double>(run.horizon.tokens) / static_cast<double>(run.train.batch_tokens);
      EXPECT_LE(std::abs(steps * of_step - budget), 0.5 * of_step * (1 + 1e-9));
      EXPECT_EQ(notes.budget, budget);
      EXPECT_DOUBLE_EQ(notes.size->asked, times * find_named_law("chinchilla_n")->of_one(budget));
    }
  }
}

TEST(CellExpressions, FaultsOfLaddersNameTheirKey) {
  const auto has = [](const std::string& yaml, const std::string& what) {
    const std::string said = fault(yaml);
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  has("ladder: {n: 1e5}\nmodel: {d_model: 64, n_layer: 2}\n",
      "line 2 of s.yaml: ladder.n = 1e5: stands beside model.n_layer and model.d_model");
  has("ladder: {n: 10}\n", "no model comes near 10: the nearest has 1.54k (n_layer 2, d_model 8)");
  has("ladder: {n: 0}\n", "ladder.n = 0: must be above 0");
  has("ladder: {n: lots}\n", "line 2 of s.yaml: ladder.n = lots: ladder.n = lots is no number");
  has("ladder: {n: 1e5, aspect: .nan}\n",
      "ladder.aspect = .nan: ladder.aspect = .nan is no number");
  has("ladder: {n: 1e5, aspct: 32}\n",
      "ladder.aspct = 32: unknown key; did you mean ladder.aspect?");
  has("ladder: {n: 1e5, count: all}\n", "ladder.count = all: must be non_embedding");
  has("ladder: {n: 1e5, width_multiple: 1.5}\n", "must be a whole number");
  has("ladder: {n: = N / 2}\n", "expressions go in a circle: N needs ladder.n needs N");
  has("ladder: {n: = 2 * bugdet}\n",
      "ladder.n = 2 * bugdet: character 6 behind the =: there is no bugdet; did you mean budget?");
  has("ladder: {n: = 2 * budget}\n", "budget is what a horizon in FLOPs asks for");
  has("ladder: {n: 1e5}\nmodel: {n_ctx: 1e12}\n", "model.n_ctx = 1e12");
  has("horizon: {flops: 1e12, count: chinchilla}\nmodel: {arch: lstm}\n",
      "counted as chinchilla it is not defined for model.arch = lstm");
  has("ladder: {n: 1e5}\nmodel: {n_layer: 9e15}\n", "model.n_layer = 9e15: must be 0 to 65536");
}

TEST(CellExpressions, BudgetsThatNoStepMeetsAreRefused) {
  const auto has = [](const std::string& yaml, const std::string& what) {
    const std::string said = fault(std::string(kModel) + yaml);
    EXPECT_NE(said.find(what), std::string::npos) << said;
  };
  has("horizon: {flops: 1e3}\n",
      "horizon.flops = 1e3: no step meets it: the smallest run, one step of");
  has("horizon: {flops: -5}\n", "horizon.flops = -5: must be above 0");
  has("horizon: {flops: 0}\n", "must be above 0");
  has("horizon: {steps: 1.5}\n", "must be a whole number of steps");
  has("horizon: {flops: 1e12}\ntrain: {batch_tokens: 0}\n",
      "train.batch_tokens = 0: must be a whole number of tokens, 1 or more");
  has("horizon: {flops: 1e12}\ntrain: {batch_tokens: = D / 7}\n", "train.batch_tokens = ");
}

TEST(NamedLaws, AreTheirPublishedFormulas) {
  const auto law = [](const char* name) { return *find_named_law(name); };
  // By hand: ln 1e6 = 13.815511, ln 1e9 = 20.723266, ln 1e11 = 25.328436.
  EXPECT_NEAR(law("kaplan_lr").of_one(1e6), 0.00131174, 1e-8);
  EXPECT_DOUBLE_EQ(law("kaplan_n").of_one(8.64e19), 1.3e9);
  EXPECT_NEAR(law("step_law_lr").of_two(1e9, 1e11), 0.0016325, 1e-7);
  EXPECT_NEAR(law("step_law_batch").of_one(1e11), 1107715, 10);
  // Where moving along the budget gains nothing.
  const auto loss = [](double n, double c) {
    return 406.4 * std::pow(n, -0.3392) + 410.7 * std::pow(c / 6 / n, -0.2849);
  };
  for (const double c : {1e18, 1e21, 1e24}) {
    const double n = law("chinchilla_n").of_one(c);
    EXPECT_LT(loss(n, c), loss(1.01 * n, c));
    EXPECT_LT(loss(n, c), loss(n / 1.01, c));
  }
}

}  // namespace
}  // namespace scalelaw
