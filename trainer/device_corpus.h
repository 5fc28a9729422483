// The train split's tokens in a device's memory, and batches cut from them there.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "trainer/data/token_shard.h"

namespace scalelaw {

struct Batch {
  at::Tensor inputs, targets;  // (R, B, T) int64
};

class DeviceCorpus {
 public:
  // The split's first `tokens`; errors as TokenShard::copy.
  DeviceCorpus(const TokenShard& shard, int64_t tokens, at::Device device);
  // Any ids, (N) of a whole-number type below 2^31, where they lie.
  explicit DeviceCorpus(at::Tensor ids);

  // starts (R, B) int64 on the device: of each window its first token. Windows of n_ctx tokens, and
  // the same moved by one. Reads nothing back.
  Batch gather(const at::Tensor& starts, int64_t n_ctx) const;
  at::Device device() const { return ids_.device(); }

 private:
  at::Tensor ids_;  // (N) int16 holding the bits of uint16, or int32
};

// Why so many tokens should not be put into `free_bytes` of memory, half of which is left for
// training; "" when they may.
std::string corpus_refusal(int64_t tokens, int token_bytes, double free_bytes);

}  // namespace scalelaw
