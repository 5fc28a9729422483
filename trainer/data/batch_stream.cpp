#include "trainer/data/batch_stream.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>
#include <string>

#include "trainer/config_error.h"

namespace scalelaw {

namespace {

// splitmix64's finaliser (Steele, Lea, Flood 2014): whole-number arithmetic, the same everywhere.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// A permutation of [0, count): a Feistel network over the next even power of two, walked until the
// value falls inside (Black, Rogaway 2002: at most 4 walks on average). No table, so an epoch costs
// no memory and any place in it is reached at once.
uint64_t permuted(uint64_t index, uint64_t count, uint64_t key) {
  constexpr int kRounds = 6;
  int half_bits = 1;
  while ((uint64_t{1} << (2 * half_bits)) < count) ++half_bits;
  const uint64_t mask = (uint64_t{1} << half_bits) - 1;
  uint64_t value = index;
  do {
    uint64_t left = value >> half_bits;
    uint64_t right = value & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const uint64_t next = left ^ (mix(key + round * 0x9e3779b97f4a7c15u + mix(right)) & mask);
      left = right;
      right = next;
    }
    value = left << half_bits | right;
  } while (value >= count);
  return value;
}

}  // namespace

BatchStream::BatchStream(BatchGeometry geometry, int64_t seed)
    : geometry_(geometry), seed_(static_cast<uint64_t>(seed)), windows_(0) {
  if (geometry.n_ctx < 1 || geometry.batch_windows < 1) {
    throw std::invalid_argument("BatchStream: n_ctx and batch_windows must be positive");
  }
  windows_ = (geometry.unique_tokens - 1) / geometry.n_ctx;
  if (windows_ < 1) {
    throw std::invalid_argument("BatchStream: " + std::to_string(geometry.unique_tokens) +
                                " tokens hold no window of " + std::to_string(geometry.n_ctx) +
                                " + 1");
  }
}

std::vector<int64_t> BatchStream::window_starts(int64_t step) const {
  assert(step >= 0);
  std::vector<int64_t> starts;
  starts.reserve(static_cast<std::size_t>(geometry_.batch_windows));
  for (int64_t i = 0; i < geometry_.batch_windows; ++i) {
    const int64_t place = step * geometry_.batch_windows + i;
    const uint64_t epoch = static_cast<uint64_t>(place / windows_);
    const uint64_t key = mix(mix(seed_ + 0x9e3779b97f4a7c15u) + epoch);
    const uint64_t window =
        permuted(static_cast<uint64_t>(place % windows_), static_cast<uint64_t>(windows_), key);
    starts.push_back(static_cast<int64_t>(window) * geometry_.n_ctx);
  }
  return starts;
}

void gather_windows(const TokenShard& shard, std::span<const int64_t> starts, int64_t n_ctx,
                    std::span<int64_t> inputs, std::span<int64_t> targets) {
  const std::size_t width = static_cast<std::size_t>(n_ctx);
  assert(inputs.size() == starts.size() * width && targets.size() == inputs.size());
  std::vector<int64_t> window(width + 1);
  for (std::size_t row = 0; row < starts.size(); ++row) {
    shard.copy(starts[row], window);
    std::copy_n(window.begin(), width, inputs.begin() + static_cast<std::ptrdiff_t>(row * width));
    std::copy_n(window.begin() + 1, width,
                targets.begin() + static_cast<std::ptrdiff_t>(row * width));
  }
}

std::vector<int64_t> evaluation_starts(int64_t split_tokens, int64_t n_ctx, int64_t tokens) {
  assert(n_ctx > 0);
  const int64_t wanted = tokens / n_ctx;
  const int64_t held = (split_tokens - 1) / n_ctx;
  if (wanted < 1) {
    throw ConfigError("an evaluation of " + std::to_string(tokens) + " tokens holds no window of " +
                      std::to_string(n_ctx) + " tokens: ask for at least n_ctx");
  }
  if (wanted > held) {
    throw ConfigError("an evaluation of " + std::to_string(tokens) +
                      " tokens asks for more than the " + std::to_string(held * n_ctx) +
                      " that a split of " + std::to_string(split_tokens) +
                      " tokens holds in windows of " + std::to_string(n_ctx));
  }
  std::vector<int64_t> starts;
  starts.reserve(static_cast<std::size_t>(wanted));
  for (int64_t i = 0; i < wanted; ++i) starts.push_back(i * held / wanted * n_ctx);
  return starts;
}

}  // namespace scalelaw
