// Which training windows a step reads: a pure function of (seed, step), so that evaluation,
// logging, restarts and the number of workers cannot change it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "trainer/data/token_shard.h"

namespace scalelaw {

struct BatchGeometry {
  int64_t n_ctx = 0;          // T
  int64_t batch_windows = 0;  // B, windows a step
  int64_t unique_tokens = 0;  // only the first so many tokens of the split are read
};

// The split's prefix is cut into floor((unique_tokens - 1) / n_ctx) windows. Each epoch visits
// every one once, in an order that is a keyed permutation of (seed, epoch).
class BatchStream {
 public:
  // std::invalid_argument when the prefix holds no whole window; the caller says it better first.
  BatchStream(BatchGeometry geometry, int64_t seed);
  int64_t windows_per_epoch() const { return windows_; }
  // First token of each of the step's B windows.
  std::vector<int64_t> window_starts(int64_t step) const;

 private:
  BatchGeometry geometry_;
  uint64_t seed_;
  int64_t windows_;
};

// inputs = tokens [start, start + T), targets = tokens [start + 1, start + T + 1); both (B, T).
void gather_windows(const TokenShard& shard, std::span<const int64_t> starts, int64_t n_ctx,
                    std::span<int64_t> inputs, std::span<int64_t> targets);

// The windows an evaluation reads: floor(tokens / T) of them, evenly spaced over the split's
// floor((split_tokens - 1) / T). The same for every run with the same n_ctx. ConfigError when the
// split holds fewer or `tokens` is below T.
std::vector<int64_t> evaluation_starts(int64_t split_tokens, int64_t n_ctx, int64_t tokens);

}  // namespace scalelaw
