// Each CUDA kernel, emulated on the CPU, against its CPU twin or plain loops: odd, tiny and wide
// sizes, one replica and three, bf16, NaN in a replica that must keep it to itself. Every launch is
// made twice, the second time with the threads of a block in the opposite order, and must give the
// same bits.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "models/kernels/adamw_math.h"
#include "models/kernels/cross_entropy.h"
#include "models/kernels/gelu.h"
#include "models/kernels/layer_norm.h"
#include "tests/models/emulated_kernels.h"

namespace scalelaw {
namespace {

TEST(EmulatedAdamW, EqualsItsElementsAndLeavesInactiveRowsAlone) {
  constexpr int64_t kReplicas = 3, kLength = 1000;
  const Floats gradients = draw(kReplicas * kLength, 1), decays = [] {
    Floats mask(kLength, 0.0f);
    std::fill_n(mask.begin(), kLength / 2, 1.0f);
    return mask;
  }();
  const Floats table = {0.9f,  0.95f, 1e-8f, 0.5f, 0.01f, 3e-3f, 1.2f, 1.0f,  //
                        kNaN,  kNaN,  kNaN,  kNaN, kNaN,  kNaN,  kNaN, 0.0f,  //
                        0.85f, 0.99f, 1e-6f, 1.0f, 0.0f,  1e-2f, 1.1f, 1.0f};
  Floats first = draw(kReplicas * kLength, 2), second = first,
         values = draw(kReplicas * kLength, 3);
  for (float& moment : second) moment *= moment;
  for (Floats* row : {&first, &second, &values}) {
    std::fill_n(row->begin() + kLength, kLength, kNaN);
  }
  const Floats found = both_ways([&] {
    Floats v = values, m = first, s = second;
    EXPECT_EQ(kernels().adamw({v.data(), m.data(), s.data(), gradients.data(), decays.data(),
                               table.data(), kReplicas, kLength},
                              nullptr),
              0);
    append(v, m);
    append(v, s);
    return v;
  });
  for (const int64_t r : {0, 2}) {
    const float* row = table.data() + r * kAdamWColumns;
    for (int64_t i = 0; i < kLength; ++i) {
      const auto at = static_cast<size_t>(r * kLength + i);
      const AdamWScalars s = {
          row[0], row[1], row[2], row[3], i < kLength / 2 ? 1.0f - row[4] : 1.0f, row[5], row[6]};
      adamw_element(s, gradients[at], values[at], first[at], second[at]);
    }
  }
  append(values, first);
  append(values, second);
  EXPECT_TRUE(same_bits(found, values));
}

TEST(EmulatedGradientNorms, AreThoseOfEachRow) {
  for (const int64_t length : {int64_t{1}, int64_t{48}, 2 * kElementsPerNormPart + 5}) {
    Floats gradients = draw(3 * length, 4);
    gradients[static_cast<size_t>(2 * length - 1)] = kNaN;
    const Floats norms = both_ways([&] {
      Floats result(3), sums(static_cast<size_t>(3 * norm_parts(length)));
      kernels().gradient_norms({gradients.data(), result.data(), sums.data(), 3, length}, nullptr);
      return result;
    });
    EXPECT_TRUE(std::isnan(norms[1]));
    for (const size_t r : {size_t{0}, size_t{2}}) {
      double sum = 0;
      for (size_t i = 0; i < static_cast<size_t>(length); ++i) {
        const double g = gradients[r * static_cast<size_t>(length) + i];
        sum += g * g;
      }
      EXPECT_NEAR(norms[r], std::sqrt(sum), 1e-6 * std::sqrt(sum));
    }
  }
}

TEST(EmulatedCrossEntropy, EqualsItsTwinOnPaddedRows) {
  constexpr int64_t kRows = 5;
  for (const ElementType type : kTypes) {
    for (const int64_t vocabulary : {1, 2, 31, 33, 65, 512, 513, 1030}) {
      const int64_t stride = vocabulary + 7;
      Buffer logits(type, draw(kRows * stride, 5));
      for (float& logit : logits.floats) logit *= 4;
      logits = Buffer(type, logits.floats);
      Floats expected, expected_loss(kRows), found_loss;
      std::vector<int64_t> targets;
      for (int64_t r = 0; r < kRows; ++r) {
        const auto row = logits.floats.begin() + r * stride;
        targets.push_back(r == 0 ? std::max_element(row, row + vocabulary) - row
                                 : (r * 37) % vocabulary);
        append(expected, {row, row + vocabulary});
      }
      bool correct[kRows], expected_correct[kRows];
      for (const float scale : {0.0f, 0.125f}) {
        const Floats found = both_ways([&] {
          Buffer copy = logits;
          found_loss.assign(kRows, 0.0f);
          kernels().cross_entropy({copy.data(), targets.data(), found_loss.data(), correct, kRows,
                                   vocabulary, stride, scale, type},
                                  nullptr);
          return copy.read();
        });
        Floats gradient = expected;
        cross_entropy_rows(kRows, vocabulary, gradient.data(), targets.data(), scale,
                           expected_loss.data(), expected_correct);
        for (int64_t r = 0; r < kRows; ++r) {
          const auto row = found.begin() + r * stride;
          const auto twin = gradient.begin() + r * vocabulary;
          expect_near(logits, {row, row + vocabulary}, {twin, twin + vocabulary});
          const auto pad = logits.floats.begin() + r * stride + vocabulary;
          EXPECT_TRUE(std::equal(pad, pad + 7, row + vocabulary)) << "the padding was written";
          EXPECT_EQ(correct[r], expected_correct[r]);
          EXPECT_NEAR(found_loss[static_cast<size_t>(r)], expected_loss[static_cast<size_t>(r)],
                      2e-6 * (10 + expected_loss[static_cast<size_t>(r)]));
        }
      }
    }
  }
}

TEST(EmulatedCrossEntropy, NaNAndInfinityStayInTheirRow) {
  const float infinity = std::numeric_limits<float>::infinity();
  Floats logits = {1, kNaN, 2, 0, infinity, 1, 1, -infinity, 3, 1, 2, 3};
  const std::vector<int64_t> targets = {2, 0, 2, 2};
  Floats loss(4);
  bool correct[4];
  kernels().cross_entropy(
      {logits.data(), targets.data(), loss.data(), correct, 4, 3, 3, 1.0f, ElementType::kFloat},
      nullptr);
  EXPECT_TRUE(std::isnan(loss[0]));
  EXPECT_FALSE(correct[0]);
  EXPECT_FALSE(std::isfinite(loss[1]));
  EXPECT_NEAR(loss[2], std::log(1 + std::exp(-2.0)), 1e-6);
  EXPECT_TRUE(correct[3]);
  for (size_t i = 6; i < logits.size(); ++i) EXPECT_TRUE(std::isfinite(logits[i]));
}

struct NormCase {
  int64_t replicas, rows, width;
  ElementType branch, normed;
  bool bias;
};

// Forward and backward of one case; then the same by the CPU's kernels.
void expect_norm_equals_its_twin(const NormCase& c) {
  const int64_t size = c.replicas * c.rows * c.width, stride = c.width + 3;
  Floats residual = draw(size, 6);
  residual[static_cast<size_t>(size / 2)] = kNaN;
  Buffer branch(c.branch, draw(size, 7)), dy(c.normed, draw(size, 8));
  Floats gain = draw(c.replicas * stride, 9), bias = draw(c.replicas * stride, 10);
  const Floats through = draw(size, 11);
  const auto n = static_cast<size_t>(size);
  Buffer like(c.normed, {}), exact(ElementType::kFloat, {});
  Floats sum(n), dx(n), gain_sum, bias_sum;
  Floats moments(2 * n / static_cast<size_t>(c.width));
  Buffer normed(c.normed, Floats(n)), dx_bf16(ElementType::kBFloat16, Floats(n));
  const auto rows_of = [&](Floats& x) { return DeviceRows{x.data(), stride}; };
  const DeviceRows none = {nullptr, 0};
  both_ways([&] {
    kernels().norm_forward(
        {residual.data(), branch.data(), rows_of(gain), c.bias ? rows_of(bias) : none, sum.data(),
         normed.data(), moments.data(), c.replicas, c.rows, c.width, 1e-5f, c.branch, c.normed},
        nullptr);
    gain_sum.assign(gain.size(), 1.0f);
    bias_sum.assign(gain.size(), 1.0f);
    Floats room(static_cast<size_t>(c.replicas * row_parts(c.rows) * 2 * c.width), kNaN);
    kernels().norm_backward(
        {sum.data(), moments.data(), dy.data(), through.data(), dx.data(), dx_bf16.data(),
         rows_of(gain), rows_of(gain_sum), c.bias ? rows_of(bias_sum) : none, room.data(),
         c.replicas, c.rows, c.width, c.normed},
        nullptr);
    Floats all = normed.read();
    for (const Floats* part : {&sum, &moments, &dx, &gain_sum, &bias_sum}) append(all, *part);
    return all;
  });
  Floats twin_sum(n), twin_normed(n), twin_moments(moments.size()), twin_dx(n);
  Floats twin_gain(gain.size(), 1.0f), twin_bias(gain.size(), 1.0f);
  for (int64_t r = 0; r < c.replicas; ++r) {
    const int64_t at = r * c.rows * c.width;
    float* row_moments = twin_moments.data() + 2 * r * c.rows;
    const auto of_replica = [&](Floats& x) { return x.data() + r * stride; };
    norm_forward(c.rows, c.width, 1e-5f, residual.data() + at, branch.floats.data() + at,
                 of_replica(gain), c.bias ? of_replica(bias) : nullptr, twin_sum.data() + at,
                 twin_normed.data() + at, row_moments);
    norm_backward(c.rows, c.width, twin_sum.data() + at, row_moments, of_replica(gain),
                  dy.floats.data() + at, through.data() + at, twin_dx.data() + at,
                  of_replica(twin_gain), c.bias ? of_replica(twin_bias) : nullptr);
  }
  EXPECT_TRUE(same_bits(sum, twin_sum));
  expect_near(like, normed.read(), twin_normed);
  expect_near(exact, dx, twin_dx);
  for (Floats* sums : {&gain_sum, &twin_gain, &bias_sum, &twin_bias}) {
    for (float& of_rows : *sums) of_rows /= static_cast<float>(c.rows);
  }
  expect_near(exact, gain_sum, twin_gain);
  expect_near(exact, bias_sum, twin_bias);
  const Buffer rounded(ElementType::kBFloat16, dx);
  const Floats& again = dx_bf16.read();
  for (size_t i = 0; i < n; ++i) {
    ASSERT_TRUE(again[i] == rounded.floats[i] || std::isnan(dx[i])) << i;
  }
}

TEST(EmulatedNorm, EqualsItsTwin) {
  using enum ElementType;
  for (const int64_t width : {1, 2, 5, 33, 128, 129, 1024, 1025, 4096}) {
    expect_norm_equals_its_twin({1, 3, width, kFloat, kFloat, true});
    expect_norm_equals_its_twin({3, 35, width, kBFloat16, kBFloat16, true});
  }
  expect_norm_equals_its_twin({3, 70, 40, kFloat, kBFloat16, false});
  expect_norm_equals_its_twin({2, 64, 40, kBFloat16, kFloat, false});
}

TEST(EmulatedGelu, EqualsItsTwin) {
  for (const ElementType type : kTypes) {
    for (const auto& [replicas, rows, width] :
         {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {3, 70, 33}, {1, 32, 64}, {3, 31, 100}}) {
      for (const bool has_bias : {true, false}) {
        const int64_t size = replicas * rows * width, stride = width + 5;
        Buffer x(type, draw(size, 12)), dy(type, draw(size, 13)), y(type, x.floats);
        x.floats[static_cast<size_t>(size - 1)] = kNaN;  // of the last replica
        x = Buffer(type, x.floats);
        Floats bias = draw(replicas * stride, 14), found_bias;
        const DeviceRows none = {nullptr, 0}, bias_rows = {bias.data(), stride};
        const Floats found = both_ways([&] {
          Buffer dx = x;
          found_bias.assign(bias.size(), 1.0f);
          Floats room(static_cast<size_t>(replicas * row_parts(rows) * width), kNaN);
          kernels().gelu_forward(
              {x.data(), y.data(), has_bias ? bias_rows : none, replicas, rows, width, type},
              nullptr);
          kernels().gelu_backward({dx.data(), dy.data(), has_bias ? bias_rows : none,
                                   has_bias ? DeviceRows{found_bias.data(), stride} : none,
                                   has_bias ? room.data() : nullptr, replicas, rows, width, type},
                                  nullptr);
          Floats all = dx.read();
          append(all, found_bias);
          return all;
        });
        Floats twin_y(x.floats.size()), slope = x.floats, twin_bias(bias.size(), 1.0f);
        for (int64_t r = 0; r < replicas; ++r) {
          const int64_t at = r * rows * width;
          bias_gelu_forward(rows, width, x.floats.data() + at,
                            has_bias ? bias.data() + r * stride : nullptr, slope.data() + at,
                            twin_y.data() + at);
          bias_gelu_backward(rows, width, dy.floats.data() + at, slope.data() + at,
                             has_bias ? twin_bias.data() + r * stride : nullptr);
        }
        expect_near(x, y.read(), twin_y);
        expect_near(x, {found.begin(), found.begin() + size}, slope);
        expect_near(Buffer(ElementType::kFloat, {}), found_bias, twin_bias);
      }
    }
  }
}

// Runs of equal tokens within a part, over two and over many; replicas' rows apart.
TEST(EmulatedEmbedding, SumsEveryTokensRows) {
  for (const auto& [rows, vocabulary] :
       {std::tuple<int64_t, int64_t>{1, 1}, {33, 1000}, {100, 3}, {200, 1}, {64, 2}}) {
    constexpr int64_t kReplicas = 3, kWidth = 130;
    const int64_t count = kReplicas * rows, stride = vocabulary * kWidth + 2;
    const Floats gradient = draw(count * kWidth, 15), table = draw(kReplicas * stride, 16);
    std::vector<int64_t> rows_of_tables(static_cast<size_t>(count)), order(rows_of_tables.size());
    std::mt19937 generator(17);
    std::vector<double> expected(table.begin(), table.end());
    for (int64_t i = 0; i < count; ++i) {
      const int64_t token = static_cast<int64_t>(generator()) % vocabulary, r = i / rows;
      rows_of_tables[static_cast<size_t>(i)] = r * vocabulary + token;
      for (int64_t j = 0; j < kWidth; ++j) {
        expected[static_cast<size_t>(r * stride + token * kWidth + j)] +=
            gradient[static_cast<size_t>(i * kWidth + j)];
      }
    }
    std::iota(order.begin(), order.end(), int64_t{0});
    const auto key_of = [&](int64_t i) { return rows_of_tables[static_cast<size_t>(i)]; };
    std::stable_sort(order.begin(), order.end(),
                     [&](int64_t a, int64_t b) { return key_of(a) < key_of(b); });
    std::vector<int64_t> keys;
    for (const int64_t i : order) keys.push_back(key_of(i));
    const Floats found = both_ways([&] {
      Floats sum = table, room(static_cast<size_t>(row_parts(count) * 2 * kWidth), kNaN);
      kernels().embedding_backward({keys.data(),
                                    order.data(),
                                    gradient.data(),
                                    {sum.data(), stride},
                                    room.data(),
                                    count,
                                    vocabulary,
                                    kWidth},
                                   nullptr);
      return sum;
    });
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 2e-5) << i;
  }
}

}  // namespace
}  // namespace scalelaw
