#include "models/model_shape.h"

#include <gtest/gtest.h>

#include <limits>
#include <stdexcept>

namespace scalelaw {
namespace {

ModelShape transformer(int64_t n_layer, int64_t d_model, int64_t n_head) {
  ModelShape shape;
  shape.n_layer = n_layer;
  shape.d_model = d_model;
  shape.n_head = n_head;
  shape.n_vocab = 512;
  return shape;
}

ModelShape lstm(int64_t n_layer, int64_t d_model) {
  ModelShape shape = transformer(n_layer, d_model, 4);
  shape.arch = "lstm";
  return shape;
}

ModelShape gpt2_124m() {
  ModelShape shape = transformer(12, 768, 12);
  shape.n_ctx = 1024;
  shape.n_vocab = 50257;
  shape.position = PositionEncoding::kLearned;
  return shape;
}

double flops(const ModelShape& shape, CCount convention) {
  return training_flops_per_token(shape, *count(shape), convention);
}

std::vector<std::string> broken_keys(const ModelShape& shape) {
  std::vector<std::string> keys;
  for (const ShapeProblem& problem : validate(shape)) keys.push_back(problem.key);
  return keys;
}

TEST(ModelShape, NonEmbeddingCountIsTwelveLayersWidthSquared) {
  for (const int64_t width : {8, 64, 96}) {
    const ModelShape shape = transformer(3, width, 4);
    EXPECT_EQ(n_params(shape, *count(shape), NCount::kNonEmbedding), 12.0 * 3 * width * width);
    EXPECT_EQ(flops(shape, CCount::kSixN), 6 * 12.0 * 3 * width * width);
    EXPECT_EQ(n_params(shape, *count(shape), NCount::kNonEmbeddingPlusHead),
              12.0 * 3 * width * width + 512.0 * width);
    EXPECT_EQ(flops(shape, CCount::kSixNPlusHead), 6 * (12.0 * 3 * width * width + 512.0 * width));
  }
}

TEST(ModelShape, Gpt2SmallHasItsPublishedParameters) {
  const ModelShape shape = gpt2_124m();
  const ParameterCounts p = count(shape)->parameters;
  EXPECT_EQ(p.total(), 124'439'808);
  EXPECT_EQ(p.token_embedding, 50257 * 768);
  EXPECT_EQ(p.position_embedding, 1024 * 768);
  EXPECT_EQ(p.attention + p.mlp, 84'934'656);
  EXPECT_EQ(p.head, 0);
  ModelShape untied = shape;
  untied.embeddings = EmbeddingTying::kUntied;
  EXPECT_EQ(count(untied)->parameters.total(), 124'439'808 + 50257 * 768);
}

// PaLM's 6 N + 12 L W T counts 860 M a token with N every parameter, positions, norms and biases
// included; products alone are 0.6% fewer.
TEST(ModelShape, Gpt2SmallFlopsAgreeWithTheFiguresInUse) {
  EXPECT_NEAR(flops(gpt2_124m(), CCount::kExactFull) / 1e6, 854.5, 0.1);
  EXPECT_NEAR(flops(gpt2_124m(), CCount::kExactCausal) / 1e6, 797.9, 0.1);
}

// Hoffmann et al. 2022, appendix F, written out for one sequence.
TEST(ModelShape, ChinchillaCountIsAppendixF) {
  const ModelShape shape = gpt2_124m();
  const double s = 1024, d = 768, kh = 768, h = 12, ff = 3072, v = 50257;
  const double layer = 2 * 3 * s * d * kh + 2 * s * s * kh + 3 * h * s * s + 2 * s * s * kh +
                       2 * s * kh * d + 2 * s * (d * ff + d * ff);
  const double forward = 2 * s * v * d + 12 * layer + 2 * s * d * v;
  EXPECT_NEAR(flops(shape, CCount::kChinchilla), 3 * forward / s, 1e-3);
  EXPECT_THROW(flops(lstm(1, 28), CCount::kChinchilla), std::invalid_argument);
}

// A pilot's counts: two layers, vocabulary 512, context 128, every product, attention in full.
TEST(ModelShape, ExactFullCountAgreesWithIndependentCounts) {
  const struct {
    int64_t width;
    double mega;
  } pilot[] = {{8, .058},  {16, .135}, {24, .23},  {32, .344}, {48, .627},
               {64, .983}, {80, 1.41}, {96, 1.92}, {128, 3.15}};
  for (const auto& row : pilot) {
    EXPECT_NEAR(flops(transformer(2, row.width, 4), CCount::kExactFull) / 1e6, row.mega,
                0.005 * row.mega + 0.0005)
        << "d_model " << row.width;
  }
  const struct {
    int64_t width;
    double mega;
  } recurrent[] = {{28, .124}, {56, .323}, {112, .946}, {144, 1.44}};
  for (const auto& row : recurrent) {
    EXPECT_NEAR(flops(lstm(1, row.width), CCount::kExactFull) / 1e6, row.mega, 0.0051);
    EXPECT_EQ(flops(lstm(1, row.width), CCount::kExactFull),
              flops(lstm(1, row.width), CCount::kExactCausal));
  }
}

TEST(ModelShape, LstmLayerHasFourGatesOfInputAndHidden) {
  const ParameterCounts p = count(lstm(2, 20))->parameters;
  EXPECT_EQ(p.recurrent, 2 * 8 * 20 * 20);
  EXPECT_EQ(p.norm, 3 * 20);
  EXPECT_EQ(p.bias, 2 * 4 * 20 + 3 * 20);
  ModelShape shape = lstm(2, 20);
  shape.bias = false;
  EXPECT_EQ(count(shape)->parameters.bias, 2 * 4 * 20);
}

TEST(ModelShape, NoLayersLeavesEmbeddingNormAndHead) {
  for (ModelShape shape : {transformer(0, 30, 3), lstm(0, 30)}) {
    EXPECT_TRUE(validate(shape).empty());
    const ParameterCounts p = count(shape)->parameters;
    EXPECT_EQ(p.total(), 512 * 30 + 2 * 30);
    EXPECT_EQ(n_params(shape, *count(shape), NCount::kNonEmbedding), 0);
    EXPECT_EQ(flops(shape, CCount::kExactCausal), 6.0 * 512 * 30);
  }
}

// What nothing reads is reset to its default, which need not divide this width.
TEST(ModelShape, NoLayersAreValidAtAnyWidthInEveryForm) {
  for (const int64_t width : {1, 7, 30, 64}) {
    for (const int64_t heads : {1, 3, 4}) {
      const ModelShape shape = transformer(0, width, heads);
      EXPECT_EQ(broken_keys(shape), std::vector<std::string>());
      EXPECT_EQ(broken_keys(canonical(shape)), std::vector<std::string>());
      EXPECT_EQ(canonical(shape), canonical(transformer(0, width, 1)));
    }
  }
}

TEST(ModelShape, DefaultsAreValid) {
  EXPECT_TRUE(validate(ModelShape{}).empty());
}

TEST(ModelShape, EachBrokenRuleNamesItsKey) {
  using Keys = std::vector<std::string>;
  const auto with = [](auto change) {
    ModelShape shape = transformer(2, 32, 4);
    change(shape);
    return broken_keys(shape);
  };
  EXPECT_EQ(with([](ModelShape& s) { s.n_layer = -1; }), Keys{"model.n_layer"});
  EXPECT_EQ(with([](ModelShape& s) { s.d_model = 0; }), Keys{"model.d_model"});
  EXPECT_EQ(with([](ModelShape& s) { s.n_ctx = 0; }), Keys{"model.n_ctx"});
  EXPECT_EQ(with([](ModelShape& s) { s.n_vocab = -1; }), Keys{"model.n_vocab"});
  EXPECT_EQ(with([](ModelShape& s) { s.n_head = 0; }), Keys{"model.n_head"});
  EXPECT_EQ(with([](ModelShape& s) { s.n_head = 3; }), Keys{"model.n_head"});
  EXPECT_EQ(with([](ModelShape& s) { s.n_head = 32; }), Keys{"model.n_head"});
  EXPECT_EQ(with([](ModelShape& s) { s.d_ff_ratio = 2.7; }), Keys{"model.d_ff_ratio"});
  EXPECT_EQ(with([](ModelShape& s) { s.d_ff_ratio = 0; }), Keys{"model.d_ff_ratio"});
  EXPECT_EQ(with([](ModelShape& s) { s.embedding_std = 0; }), Keys{"model.embedding_std"});
  EXPECT_EQ(with([](ModelShape& s) { s.embedding_std = std::numeric_limits<double>::infinity(); }),
            Keys{"model.embedding_std"});
  EXPECT_EQ(with([](ModelShape& s) { s.arch = "transfromer"; }), Keys{"model.arch"});
}

TEST(ModelShape, OddHeadWidthNeedsLearnedPositions) {
  ModelShape shape = transformer(2, 30, 2);
  EXPECT_EQ(broken_keys(shape), std::vector<std::string>{"model.n_head"});
  shape.position = PositionEncoding::kLearned;
  EXPECT_TRUE(validate(shape).empty());
}

TEST(ModelShape, LstmIgnoresWhatOnlyTransformersRead) {
  ModelShape shape = lstm(1, 14);
  shape.n_head = 3;
  shape.d_ff_ratio = 0.3;
  shape.position = PositionEncoding::kLearned;
  EXPECT_TRUE(validate(shape).empty());
  EXPECT_EQ(canonical(shape), lstm(1, 14));
  EXPECT_NE(canonical(transformer(2, 32, 8)), canonical(transformer(2, 32, 4)));
}

TEST(ModelShape, ConventionNamesRoundTrip) {
  for (const char* text : {"non_embedding", "non_embedding_plus_head", "total"}) {
    EXPECT_EQ(name(n_count_from(text).value()), text);
  }
  for (const char* text :
       {"six_n", "six_n_plus_head", "exact_causal", "exact_full", "chinchilla"}) {
    EXPECT_EQ(name(c_count_from(text).value()), text);
  }
  EXPECT_FALSE(n_count_from("embedding").has_value());
  EXPECT_FALSE(c_count_from("").has_value());
}

TEST(ModelShape, CountRefusesWhatItCannotCount) {
  ModelShape shape = transformer(1, 8, 2);
  shape.n_vocab = 0;
  EXPECT_THROW(count(shape), std::invalid_argument);
  shape.n_vocab = 5;
  shape.arch = "perceptron";
  EXPECT_THROW(count(shape), std::invalid_argument);
}

TEST(ModelShape, RegistryListsBothArchitectures) {
  EXPECT_EQ(architecture_names(), (std::vector<std::string>{"transformer", "lstm"}));
}

}  // namespace
}  // namespace scalelaw
