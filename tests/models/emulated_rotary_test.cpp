// The rotary kernel, emulated: gradients that lie each their own way are gathered into one buffer,
// and queries and keys are turned where they lie.
#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "models/kernels/rotary_math.h"
#include "tests/models/emulated_kernels.h"

namespace scalelaw {
namespace {

struct Heads {
  int64_t windows, tokens, n_head, d_head;

  int64_t size() const { return windows * tokens * n_head * d_head; }
  // Of (windows, T, 3, H, D).
  size_t place(int64_t window, int64_t token, int64_t part, int64_t head, int64_t j) const {
    const int64_t row = window * tokens + token;
    return static_cast<size_t>(((row * 3 + part) * n_head + head) * d_head + j);
  }
};

struct Angles {
  Floats cosine, sine;  // (T, D / 2)

  explicit Angles(const Heads& s)
      : cosine(draw(s.tokens * s.d_head / 2, 31)), sine(draw(s.tokens * s.d_head / 2, 32)) {}
};

// What `x` (windows, T, 3, H, D) is turned into.
Floats turned(const Heads& s, Floats x, const Angles& angles, float direction) {
  const int64_t half = s.d_head / 2;
  for (int64_t window = 0; window < s.windows; ++window) {
    for (int64_t token = 0; token < s.tokens; ++token) {
      for (int64_t of_parts = 0; of_parts < 2 * s.n_head; ++of_parts) {
        for (int64_t j = 0; j < half; ++j) {
          const auto at = static_cast<size_t>(token * half + j);
          turn_pair(angles.cosine[at], direction * angles.sine[at],
                    x[s.place(window, token, 0, of_parts, j)],
                    x[s.place(window, token, 0, of_parts, j + half)]);
        }
      }
    }
  }
  return x;
}

const std::vector<Heads> kShapes = {{1, 1, 1, 2}, {3, 5, 3, 6}, {2, 7, 2, 32}, {1, 3, 40, 16}};

TEST(EmulatedRotary, TurnsQueriesAndKeysWhereTheyLie) {
  for (const ElementType type : kTypes) {
    for (const Heads& s : kShapes) {
      const Angles angles(s);
      Buffer x(type, draw(3 * s.size(), 33));
      const int64_t row = 3 * s.n_head * s.d_head;
      const Floats found = both_ways([&] {
        Buffer copy = x;
        auto* first = static_cast<std::byte*>(copy.data());
        const int64_t part = s.n_head * s.d_head * (type == ElementType::kFloat ? 4 : 2);
        const auto heads = [&](int64_t i) {
          return DeviceHeads{first + i * part, s.tokens * row, s.d_head, row};
        };
        kernels().rotary({{heads(0), heads(1), heads(2)},
                          first,
                          angles.cosine.data(),
                          angles.sine.data(),
                          s.windows,
                          s.tokens,
                          s.n_head,
                          s.d_head,
                          /*values=*/false,
                          1.0f,
                          type},
                         nullptr);
        return copy.read();
      });
      expect_near(x, found, turned(s, x.floats, angles, 1.0f));
    }
  }
}

// Queries' gradient (windows, H, T, D), keys' (windows, T, H, D), values' with room between rows.
TEST(EmulatedRotary, GathersGradientsOfAnyLayout) {
  for (const ElementType type : kTypes) {
    for (const Heads& s : kShapes) {
      const int64_t wide = s.d_head + 3;
      const int64_t strides[3][3] = {
          {s.n_head * s.tokens * s.d_head, s.tokens * s.d_head, s.d_head},
          {s.n_head * s.tokens * s.d_head, s.d_head, s.n_head * s.d_head},
          {s.n_head * s.tokens * wide, s.tokens * wide, wide}};
      std::vector<Buffer> parts;
      for (int64_t part = 0; part < 3; ++part) {
        parts.emplace_back(type,
                           draw(s.size() / s.d_head * wide, 34 + static_cast<unsigned>(part)));
      }
      Floats gathered(static_cast<size_t>(3 * s.size()));
      for (int64_t i = 0; i < 3 * s.size(); ++i) {
        const int64_t j = i % s.d_head, head = i / s.d_head % s.n_head;
        const int64_t part = i / (s.d_head * s.n_head) % 3, row = i / (s.d_head * s.n_head * 3);
        gathered[static_cast<size_t>(i)] =
            parts[static_cast<size_t>(part)].floats[static_cast<size_t>(
                row / s.tokens * strides[part][0] + head * strides[part][1] +
                row % s.tokens * strides[part][2] + j)];
      }
      const Angles angles(s);
      const Floats found = both_ways([&] {
        Buffer to(type, Floats(gathered.size(), kNaN));
        const auto heads = [&](size_t i) {
          return DeviceHeads{parts[i].data(), strides[i][0], strides[i][1], strides[i][2]};
        };
        kernels().rotary({{heads(0), heads(1), heads(2)},
                          to.data(),
                          angles.cosine.data(),
                          angles.sine.data(),
                          s.windows,
                          s.tokens,
                          s.n_head,
                          s.d_head,
                          /*values=*/true,
                          -1.0f,
                          type},
                         nullptr);
        return to.read();
      });
      expect_near(parts[0], found, turned(s, gathered, angles, -1.0f));
    }
  }
}

}  // namespace
}  // namespace scalelaw
