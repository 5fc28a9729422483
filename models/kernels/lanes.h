// Sums and maxima over rows, in lanes, so that the compiler may use vectors without reordering a
// sum: the order is the same for every instruction set. For kernel files only.
#pragma once

#include <cstdint>

namespace scalelaw::lanes {

constexpr int64_t kCount = 32;

// Combines neighbouring halves until one is left.
template <typename Combine>
[[gnu::always_inline]] inline float reduce(float (&lane)[kCount], Combine combine) {
  for (int64_t half = kCount / 2; half > 0; half /= 2) {
    for (int64_t i = 0; i < half; ++i) lane[i] = combine(lane[i], lane[i + half]);
  }
  return lane[0];
}

// term(0) + ... + term(size - 1).
template <typename Term>
[[gnu::always_inline]] inline float sum(int64_t size, Term term) {
  float lane[kCount] = {};
  int64_t j = 0;
  for (; j + kCount <= size; j += kCount) {
    for (int64_t i = 0; i < kCount; ++i) lane[i] += term(j + i);
  }
  for (int64_t i = 0; j + i < size; ++i) lane[i] += term(j + i);
  return reduce(lane, [](float a, float b) { return a + b; });
}

// The largest of term(0) ... term(size - 1), size >= 1. NaN loses unless it is term(0).
template <typename Term>
[[gnu::always_inline]] inline float maximum(int64_t size, Term term) {
  float lane[kCount];
  const float first = term(0);
  for (float& value : lane) value = first;
  int64_t j = 0;
  for (; j + kCount <= size; j += kCount) {
    for (int64_t i = 0; i < kCount; ++i) {
      const float value = term(j + i);
      lane[i] = value > lane[i] ? value : lane[i];
    }
  }
  for (int64_t i = 0; j + i < size; ++i) {
    const float value = term(j + i);
    lane[i] = value > lane[i] ? value : lane[i];
  }
  return reduce(lane, [](float a, float b) { return b > a ? b : a; });
}

}  // namespace scalelaw::lanes
