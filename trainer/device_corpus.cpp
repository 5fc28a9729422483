#include "trainer/device_corpus.h"

#include <ATen/DeviceAccelerator.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "trainer/number.h"

namespace scalelaw {
namespace {

constexpr int64_t kTokensAtOnce = int64_t{1} << 20;
constexpr int64_t kUint16Mask = 0xffff;

// LibTorch has few operators for uint16: its bits are kept as int16. Ids of 32 bits are below 2^31.
template <typename Id>
at::Tensor read_ids(const TokenShard& shard, int64_t tokens, at::ScalarType type) {
  at::Tensor ids = at::empty({tokens}, type);
  Id* out = ids.mutable_data_ptr<Id>();
  std::vector<int64_t> wide;
  for (int64_t first = 0; first < tokens; first += kTokensAtOnce) {
    wide.resize(static_cast<std::size_t>(std::min(kTokensAtOnce, tokens - first)));
    shard.copy(first, wide);
    out = std::transform(wide.begin(), wide.end(), out,
                         [](int64_t id) { return static_cast<Id>(id); });
  }
  return ids;
}

}  // namespace

DeviceCorpus::DeviceCorpus(const TokenShard& shard, int64_t tokens, at::Device device)
    : ids_((shard.info().token_bytes == 2 ? read_ids<int16_t>(shard, tokens, at::kShort)
                                          : read_ids<int32_t>(shard, tokens, at::kInt))
               .to(device)) {}

DeviceCorpus::DeviceCorpus(at::Tensor ids) : ids_(std::move(ids)) {}

Batch DeviceCorpus::gather(const at::Tensor& starts, int64_t n_ctx) const {
  // One more token than the context, so that targets are the inputs moved by one.
  const at::Tensor places = starts.unsqueeze(2) + at::arange(n_ctx + 1, starts.options());
  at::Tensor tokens = ids_.index_select(0, places.view(-1)).to(at::kLong);
  if (ids_.scalar_type() == at::kShort) tokens.bitwise_and_(kUint16Mask);
  tokens = tokens.view(places.sizes());  // (R, B, T + 1)
  return {tokens.narrow(2, 0, n_ctx).contiguous(), tokens.narrow(2, 1, n_ctx).contiguous()};
}

std::string corpus_refusal(int64_t tokens, int token_bytes, double free_bytes) {
  const double needed = static_cast<double>(tokens) * token_bytes;
  if (needed <= 0.5 * free_bytes) return "";
  return "the run's " + human(static_cast<double>(tokens)) + " training tokens are " +
         human(needed) + " bytes, more than half of the " + human(free_bytes) +
         " that the device has free";
}

}  // namespace scalelaw
