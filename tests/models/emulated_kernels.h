// What the tests of the emulated CUDA kernels share.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "models/kernels/bfloat16.h"
#include "models/kernels/device_kernels.h"
#include "tests/support/cuda_emulation.h"

extern "C" const scalelaw::DeviceKernels* scalelaw_device_kernels();

namespace scalelaw {

using Floats = std::vector<float>;
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

inline Floats draw(int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  Floats numbers(static_cast<size_t>(count));
  for (float& number : numbers) number = normal(generator);
  return numbers;
}

// A buffer of either type, whose numbers a test reads and writes as float.
struct Buffer {
  ElementType type;
  Floats floats;
  std::vector<BFloat16> halves;

  Buffer(ElementType type_, const Floats& numbers) : type(type_), floats(numbers) {
    for (const float number : numbers) {
      halves.emplace_back();
      round_to(number, halves.back());
    }
    read();
  }
  void* data() {
    return type == ElementType::kFloat ? static_cast<void*>(floats.data()) : halves.data();
  }
  const Floats& read() {
    for (size_t i = 0; type == ElementType::kBFloat16 && i < halves.size(); ++i) {
      floats[i] = as_float(halves[i]);
    }
    return floats;
  }
  // Half a unit in the last place of numbers of this size, and what the arithmetic itself rounds.
  float tolerance(float size) const {
    return (type == ElementType::kFloat ? 3e-6f : 4e-3f) * (1 + std::abs(size));
  }
};

inline void expect_near(const Buffer& like, const Floats& found, const Floats& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    if (std::isnan(expected[i])) {
      ASSERT_TRUE(std::isnan(found[i])) << i;
    } else {
      ASSERT_NEAR(found[i], expected[i], like.tolerance(expected[i]))
          << i << " of " << found.size();
    }
  }
}

inline bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// What `run`, which copies its operands and gives all its results in one, gives both ways round.
template <typename Run>
Floats both_ways(Run run) {
  cuda_emulation::backwards = false;
  const Floats forwards = run();
  cuda_emulation::backwards = true;
  EXPECT_TRUE(same_bits(forwards, run())) << "the order of a block's threads shows";
  cuda_emulation::backwards = false;
  return forwards;
}

inline void append(Floats& all, const Floats& more) {
  all.insert(all.end(), more.begin(), more.end());
}

inline const DeviceKernels& kernels() {
  return *scalelaw_device_kernels();
}

inline constexpr ElementType kTypes[] = {ElementType::kFloat, ElementType::kBFloat16};

}  // namespace scalelaw
