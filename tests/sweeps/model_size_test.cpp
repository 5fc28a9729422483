#include "sweeps/language/model_size.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "trainer/config_error.h"

namespace scalelaw {
namespace {

ModelShape shape_of(const std::string& arch) {
  ModelShape shape;
  shape.arch = arch;
  shape.n_vocab = 512;
  return shape;
}
double parameters(const ModelShape& shape, NCount convention) {
  return n_params(shape, *count(shape), convention);
}

// The slow twin: every shape within reach, by the words of the header.
ModelShape best_of_all(const ModelShape& like, const SizeRules& rules) {
  const auto off = [&](const ModelShape& shape) {
    return std::abs(std::log(parameters(shape, rules.count) / rules.n));
  };
  const auto aspect_off = [&](const ModelShape& shape) {
    return std::abs(std::log(static_cast<double>(shape.d_model) /
                             static_cast<double>(shape.n_layer) / rules.aspect));
  };
  std::vector<ModelShape> of_layers;  // of each depth the width nearest to the size
  for (int64_t layers = 1; layers <= (rules.chooses_layers ? 60 : 1); ++layers) {
    ModelShape shape = like;
    if (rules.chooses_layers) shape.n_layer = layers;
    std::optional<ModelShape> best;
    for (shape.d_model = rules.width_multiple; shape.d_model <= 4096;
         shape.d_model += rules.width_multiple) {
      if (validate(shape).empty() && (!best || off(shape) < off(*best))) best = shape;
    }
    of_layers.push_back(*best);
  }
  if (!rules.chooses_layers) return of_layers.front();
  std::optional<ModelShape> met, within, any;
  for (const ModelShape& shape : of_layers) {
    if (!any || aspect_off(shape) < aspect_off(*any)) any = shape;
    if (aspect_off(shape) > std::log(1.25)) continue;
    if (!within || off(shape) < off(*within)) within = shape;
    const bool is_met = std::abs(parameters(shape, rules.count) / rules.n - 1) <= kSizeMet;
    if (is_met && (!met || aspect_off(shape) < aspect_off(*met))) met = shape;
  }
  return met ? *met : within ? *within : *any;
}

TEST(ModelSize, IsTheBestOfAllShapesWithinReach) {
  std::mt19937 random(1);
  const auto uniform = [&](double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
  };
  for (int i = 0; i < 150; ++i) {
    ModelShape like = shape_of(i % 3 == 0 ? "lstm" : "transformer");
    like.n_head = i % 2 == 0 ? 1 : 4;
    like.n_layer = 1 + i % 5;
    SizeRules rules;
    rules.n = std::exp(uniform(std::log(2e3), std::log(5e7)));
    rules.count = NCount(i % 3);
    if (rules.count != NCount::kNonEmbedding) rules.n += 512 * 64;
    rules.chooses_layers = i % 4 != 0;
    rules.aspect = uniform(12, 100);
    rules.width_multiple = i % 5 == 0 ? 2 : 8;
    const auto found = model_of_size(like, rules);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->shape, best_of_all(like, rules)) << rules.n << " of aspect " << rules.aspect;
    EXPECT_EQ(found->n, parameters(found->shape, rules.count));
  }
}

TEST(ModelSize, LayersAreChosenForAWidthThatStays) {
  ModelShape like = shape_of("transformer");
  like.d_model = 64;
  SizeRules rules{.n = 5.2 * 12 * 64 * 64, .chooses_layers = true, .chooses_width = false};
  EXPECT_EQ(model_of_size(like, rules)->shape.n_layer, 5);
  rules.n = 1;  // one layer is the least
  EXPECT_EQ(model_of_size(like, rules)->shape.n_layer, 1);
}

TEST(ModelSize, HeadsComeAsNearToTheirWidthAsDivisorsOfTheModelsDo) {
  SizeRules rules{.n = 12 * 2 * 96 * 96, .width_multiple = 32, .d_head = 32};
  EXPECT_EQ(model_of_size(shape_of("transformer"), rules)->shape.n_head, 3);
  rules.d_head = 48;
  EXPECT_EQ(model_of_size(shape_of("transformer"), rules)->shape.n_head, 2);
  rules.d_head = 1000;
  EXPECT_EQ(model_of_size(shape_of("transformer"), rules)->shape.n_head, 1);
  rules.d_head = 1;  // rotary positions need pairs
  EXPECT_EQ(model_of_size(shape_of("transformer"), rules)->shape.d_head(), 2);
}

TEST(ModelSize, FeedForwardBlocksAreRoundedToTheirMultiple) {
  ModelShape like = shape_of("transformer");
  like.d_ff_ratio = 8.0 / 3;
  SizeRules rules{.n = 1e6, .width_multiple = 16, .d_ff_multiple = 64};
  const auto found = model_of_size(like, rules);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->shape.d_ff() % 64, 0);
  EXPECT_LE(std::abs(static_cast<double>(found->shape.d_ff()) -
                     8.0 / 3 * static_cast<double>(found->shape.d_model)),
            32);
  EXPECT_TRUE(validate(found->shape).empty());
}

// One step of the width moves a size by up to 2 x multiple / d_model; depths beside it fill that
// in.
TEST(ModelSize, LargerModelsMeetTheirSizeWithinAPercent) {
  for (const double aspect : {32.0, 64.0, 128.0}) {
    int sizes = 0, met = 0;
    for (double n = 1e8; n < 1e11; n *= 1.1) {
      const SizeRules rules{
          .n = n, .chooses_layers = true, .aspect = aspect, .width_multiple = 8, .d_head = 64};
      const auto found = model_of_size(shape_of("transformer"), rules);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->shape.d_model % 8, 0);
      EXPECT_LE(std::abs(found->n / n - 1), 0.02) << n << " " << aspect;
      ++sizes;
      if (std::abs(found->n / n - 1) <= kSizeMet) ++met;
    }
    EXPECT_EQ(met, sizes) << aspect;
  }
}

TEST(ModelSize, WhatStaysMustBePossible) {
  ModelShape like = shape_of("transformer");
  like.n_ctx = int64_t{1} << 40;
  EXPECT_THROW(model_of_size(like, {.n = 1e6}), KeyError);
  like = shape_of("transformer");
  like.n_head = 7;  // of rotary positions: widths are multiples of 14 and 8
  EXPECT_EQ(model_of_size(like, {.n = 1e5})->shape.d_model, 56);
  like.d_ff_ratio = 1.0 / 3;  // and of 3
  EXPECT_EQ(model_of_size(like, {.n = 1e5})->shape.d_model, 168);
  like = shape_of("transformer");
  like.n_layer = 0;  // has nothing to size
  EXPECT_FALSE(model_of_size(like, {.n = 1e5}));
  like = shape_of("transformer");
  like.d_ff_ratio = 1e300;
  EXPECT_FALSE(model_of_size(like, {.n = 1e5}));
}

}  // namespace
}  // namespace scalelaw
