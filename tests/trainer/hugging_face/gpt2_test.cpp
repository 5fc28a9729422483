// Against the model itself, and LibTorch's own half-precision numbers.
#include "trainer/hugging_face/gpt2.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Half.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <map>

#include "models/language_model.h"
#include "trainer/hugging_face/tensor_floats.h"

namespace scalelaw {
namespace {

ModelShape gpt2_like(EmbeddingTying tying, int64_t n_layer) {
  ModelShape shape;
  shape.n_layer = n_layer;
  shape.d_model = 24;
  shape.d_ff_ratio = 1.5;
  shape.n_head = 3;
  shape.n_ctx = 10;
  shape.n_vocab = 37;
  shape.position = PositionEncoding::kLearned;
  shape.embeddings = tying;
  return shape;
}

TEST(Gpt2, NamesEveryParameterOfTheModelWithItsShape) {
  for (const EmbeddingTying tying : {EmbeddingTying::kTied, EmbeddingTying::kUntied}) {
    for (const int64_t n_layer : {0, 1, 12}) {
      const ModelShape shape = gpt2_like(tying, n_layer);
      ASSERT_TRUE(why_not_gpt2(shape).empty());
      ParameterArena arena;
      const auto model = make_model(shape, {}, arena);
      std::map<std::string, std::vector<int64_t>> expected, named;
      for (const ParameterSpec& spec : arena.specs()) expected[spec.name] = spec.shape;
      std::map<std::string, int> theirs;
      for (const Gpt2Tensor& tensor : gpt2_tensors(shape)) {
        named[tensor.ours] = tensor.shape;
        EXPECT_EQ(++theirs[tensor.theirs], 1) << tensor.theirs;
      }
      EXPECT_EQ(named, expected);
    }
  }
}

TEST(TensorFloats, HalvesAreReadAsLibTorchReadsThem) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    for (const auto& [mine, other] :
         {std::pair{from_float16(half),
                    static_cast<float>(c10::Half(half, c10::Half::from_bits()))},
          std::pair{from_bfloat16(half),
                    static_cast<float>(c10::BFloat16(half, c10::BFloat16::from_bits()))}}) {
      if (std::isnan(other)) {
        EXPECT_TRUE(std::isnan(mine)) << bits;
      } else {
        EXPECT_EQ(std::bit_cast<uint32_t>(mine), std::bit_cast<uint32_t>(other)) << bits;
      }
    }
  }
}

}  // namespace
}  // namespace scalelaw
