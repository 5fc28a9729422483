#include "trainer/device_scores.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

namespace scalelaw {

DeviceScores::DeviceScores(const LanguageModel& model, int64_t replicas, at::Device device,
                           const TokenShard& shard, std::vector<int64_t> starts,
                           int64_t chunk_windows)
    : model_(model),
      replicas_(replicas),
      chunk_windows_(chunk_windows),
      starts_(std::move(starts)) {
  std::ranges::sort(starts_);
  starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());
  const int64_t n_ctx = model.shape().n_ctx;
  const auto width = static_cast<std::size_t>(n_ctx + 1);
  const at::Tensor windows =
      at::empty({static_cast<int64_t>(starts_.size()), n_ctx + 1}, at::kLong);
  auto* ids = windows.mutable_data_ptr<int64_t>();
  for (const int64_t start : starts_) {
    shard.copy(start, {ids, width});
    ids += width;
  }
  windows_ = windows.to(device, at::kInt);
  const auto on = [&](at::ScalarType type) { return at::TensorOptions(type).device(device); };
  const std::vector<int64_t> sizes = {kChunks, replicas, chunk_windows, n_ctx};
  rows_ = at::zeros({kChunks, chunk_windows}, on(at::kLong));
  loss_nats_ = at::zeros(sizes, on(at::kFloat));
  correct_ = at::zeros(sizes, on(at::kBool));
  counter_ = at::zeros({1}, on(at::kLong));
}

bool DeviceScores::capture_pays() const {
  const auto windows = static_cast<int64_t>(starts_.size());
  return windows > (kWarmUpSteps + kRecordedSteps) * chunk_windows_;
}

std::string DeviceScores::capture() {
  static_assert(kChunks > kWarmUpSteps);
  counter_.zero_();
  Capture capture = capture_steps([this] { chunk(); }, windows_.device());
  graph_ = std::move(capture.graph);
  return capture.refusal;
}

TokenScores DeviceScores::score(std::span<const int64_t> starts) {
  const auto capacity = static_cast<std::size_t>(kChunks * chunk_windows_);
  std::vector<at::Tensor> losses, correct;
  for (std::size_t first = 0; first < starts.size(); first += capacity) {
    const TokenScores scores =
        score_at_once(starts.subspan(first, std::min(capacity, starts.size() - first)));
    losses.push_back(scores.loss_nats);
    correct.push_back(scores.correct);
  }
  return {at::cat(losses, 1), at::cat(correct, 1)};
}

TokenScores DeviceScores::score_at_once(std::span<const int64_t> starts) {
  const auto count = static_cast<int64_t>(starts.size());
  const int64_t chunks = (count + chunk_windows_ - 1) / chunk_windows_;
  std::vector<int64_t> rows;
  for (const int64_t start : starts) {
    const auto place = std::ranges::lower_bound(starts_, start);
    TORCH_CHECK(place != starts_.end() && *place == start, "no window from token ", start);
    rows.push_back(place - starts_.begin());
  }
  // The last chunk is filled up with a window whose scores nobody reads.
  rows.resize(static_cast<std::size_t>(chunks * chunk_windows_), rows.front());
  rows_.narrow(0, 0, chunks).copy_(at::tensor(rows, at::kLong).view({chunks, chunk_windows_}));
  counter_.zero_();
  if (graph_) {
    graph_->replay(chunks);
  } else {
    for (int64_t i = 0; i < chunks; ++i) chunk();
  }
  // A graph into which a number of the host were frozen would not have counted.
  const auto done = counter_.item<int64_t>();
  TORCH_CHECK(done == chunks, "the device scored ", done, " chunks of ", chunks);
  const auto by_window = [&](const at::Tensor& scores, at::ScalarType type) {
    return scores.narrow(0, 0, chunks)
        .transpose(0, 1)  // (R, chunks, B, T)
        .reshape({replicas_, chunks * chunk_windows_, scores.size(3)})
        .narrow(1, 0, count)
        .to(at::kCPU, type);
  };
  return {by_window(loss_nats_, at::kDouble), by_window(correct_, at::kBool)};
}

void DeviceScores::chunk() {
  const at::NoGradGuard no_grad;
  const int64_t n_ctx = model_.shape().n_ctx;
  const at::Tensor rows = rows_.index_select(0, counter_).squeeze(0);  // (B)
  const at::Tensor windows = windows_
                                 .index_select(0, rows)  // (B, T + 1)
                                 .to(at::kLong)
                                 .unsqueeze(0)
                                 .expand({replicas_, chunk_windows_, n_ctx + 1});
  const TokenScores scores = model_.score(windows.narrow(2, 0, n_ctx).contiguous(),
                                          windows.narrow(2, 1, n_ctx).contiguous());
  loss_nats_.index_copy_(0, counter_, scores.loss_nats.unsqueeze(0));
  correct_.index_copy_(0, counter_, scores.correct.unsqueeze(0));
  counter_.add_(1);
}

}  // namespace scalelaw
