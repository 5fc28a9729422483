#include "trainer/parallel/rank_group.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "trainer/hash.h"

namespace scalelaw {
namespace {

// Elements: of a large model on a GPU the host holds no copy of all weights.
constexpr int64_t kHashedAtOnce = int64_t{1} << 24;

class Done : public RankGroup::Pending {
 public:
  void wait() override {}
};

class Alone : public RankGroup {
 public:
  Alone() : RankGroup(0, 1) {}
  std::unique_ptr<Pending> start_sum(const at::Tensor&) override {
    return std::make_unique<Done>();
  }
  void broadcast(const at::Tensor&) override {}
};

}  // namespace

std::shared_ptr<RankGroup> alone() {
  return std::make_shared<Alone>();
}

std::string broadcast_text(RankGroup& group, const std::string& text) {
  const at::Tensor length = at::zeros({1}, at::kLong);
  *length.mutable_data_ptr<int64_t>() = static_cast<int64_t>(text.size());
  group.broadcast(length);
  const auto bytes = static_cast<std::size_t>(*length.const_data_ptr<int64_t>());
  if (bytes == 0) return "";
  const at::Tensor letters = at::empty({static_cast<int64_t>(bytes)}, at::kByte);
  if (group.rank() == 0) std::memcpy(letters.mutable_data_ptr<uint8_t>(), text.data(), bytes);
  group.broadcast(letters);
  return {reinterpret_cast<const char*>(letters.const_data_ptr<uint8_t>()), bytes};
}

int64_t of_rank_zero(RankGroup& group, int64_t number) {
  const at::Tensor shared = at::zeros({1}, at::kLong);
  *shared.mutable_data_ptr<int64_t>() = number;
  group.broadcast(shared);
  return *shared.const_data_ptr<int64_t>();
}

double least_over_ranks(RankGroup& group, double number) {
  const at::Tensor numbers = at::zeros({group.size()}, at::kDouble);
  auto* of_rank = numbers.mutable_data_ptr<double>();
  of_rank[group.rank()] = number;
  group.sum(numbers);
  return *std::min_element(of_rank, of_rank + group.size());
}

std::vector<int> ranks_that_differ(RankGroup& group, const at::Tensor& tensor) {
  const at::Tensor flat = tensor.detach().contiguous().view({-1});
  Hasher hasher;
  for (int64_t at = 0; at < flat.numel(); at += kHashedAtOnce) {
    const at::Tensor here =
        flat.narrow(0, at, std::min(kHashedAtOnce, flat.numel() - at)).to(at::kCPU);
    hasher.add({static_cast<const std::byte*>(here.const_data_ptr()), here.nbytes()});
  }
  const std::string own = hasher.hex();
  const bool equal = broadcast_text(group, own) == own;
  const at::Tensor differs = at::zeros({group.size()}, at::kLong);
  auto* flags = differs.mutable_data_ptr<int64_t>();
  flags[group.rank()] = equal ? 0 : 1;
  group.sum(differs);
  std::vector<int> ranks;
  for (int rank = 0; rank < group.size(); ++rank) {
    if (flags[rank] != 0) ranks.push_back(rank);
  }
  return ranks;
}

}  // namespace scalelaw
