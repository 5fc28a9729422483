#include "trainer/evaluate.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>
#include <utility>

#include "models/memory_estimate.h"
#include "trainer/data/batch_stream.h"

namespace scalelaw {
namespace {

struct MeanAndError {
  double mean = 0, standard_error = 0;
};

MeanAndError mean_and_error(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double v : values) sum += v;
  const double mean = sum / n;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1) / n) : 0.0};
}

// The windows of an evaluation, and how many are scored in one call.
struct Windows {
  std::vector<int64_t> starts;
  int64_t chunk;
  int64_t chunks() const { return (count() + chunk - 1) / chunk; }
  int64_t count() const { return static_cast<int64_t>(starts.size()); }
};

Windows windows_of(const Evaluator& evaluator, const TestSet& set, int64_t tokens) {
  const ModelShape& shape = evaluator.model.shape();
  return {evaluation_starts(set.shard.info().n_tokens, shape.n_ctx, tokens),
          windows_scored_at_once(shape, evaluator.replicas)};
}

// `first`: of the chunk's windows among all. false: enough.
using TakeScores = std::function<bool(int64_t first, const TokenScores& scores)>;

// Scores of one chunk, or of several in one go, on the CPU.
TokenScores score(const Evaluator& evaluator, const TestSet& set, std::span<const int64_t> starts) {
  if (evaluator.on_device != nullptr) return evaluator.on_device->score(starts);
  const auto count = static_cast<int64_t>(starts.size());
  const int64_t n_ctx = evaluator.model.shape().n_ctx;
  at::Tensor inputs = at::empty({count, n_ctx}, at::kLong);
  at::Tensor targets = at::empty({count, n_ctx}, at::kLong);
  const auto cells = static_cast<std::size_t>(count * n_ctx);
  gather_windows(set.shard, starts, n_ctx, {inputs.data_ptr<int64_t>(), cells},
                 {targets.data_ptr<int64_t>(), cells});
  const auto for_all = [&](const at::Tensor& t) {
    return t.to(evaluator.device)
        .unsqueeze(0)
        .expand({evaluator.replicas, count, n_ctx})
        .contiguous();
  };
  const TokenScores scores = evaluator.model.score(for_all(inputs), for_all(targets));
  return {scores.loss_nats.to(at::kCPU, at::kDouble), scores.correct.to(at::kCPU)};
}

// Calls `take` for this rank's chunks, in order. A chunk is scored whole by one rank, so that its
// bits do not depend on how many there are.
void for_each_chunk(const Evaluator& evaluator, const TestSet& set, const Windows& windows,
                    const TakeScores& take) {
  const at::NoGradGuard no_grad;
  const int64_t ranks = evaluator.ranks.size();
  TORCH_CHECK(evaluator.on_device == nullptr || ranks == 1, "scores on a device of ", ranks,
              " ranks");
  const int64_t at_once = evaluator.on_device != nullptr ? DeviceScores::kChunks : 1;
  for (int64_t i = evaluator.ranks.rank() * at_once; i < windows.chunks(); i += ranks * at_once) {
    const int64_t first = i * windows.chunk;
    const int64_t count = std::min(at_once * windows.chunk, windows.count() - first);
    const TokenScores scores =
        score(evaluator, set,
              std::span(windows.starts)
                  .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)));
    for (int64_t at = 0; at < count; at += windows.chunk) {
      const int64_t of_chunk = std::min(windows.chunk, count - at);
      if (!take(first + at, {scores.loss_nats.narrow(1, at, of_chunk),
                             scores.correct.narrow(1, at, of_chunk)})) {
        return;
      }
    }
  }
}

WindowScores summarise(const at::Tensor& loss, const at::Tensor& correct,
                       const TokenShardInfo& info) {  // (windows, T) of one replica
  const int64_t windows = loss.size(0), n_ctx = loss.size(1);
  const at::Tensor by_window = loss.mean(1).contiguous();
  const std::span<const double> means(by_window.data_ptr<double>(),
                                      static_cast<std::size_t>(windows));
  const MeanAndError all = mean_and_error(means);

  WindowScores scores;
  scores.window_loss_nats.assign(means.begin(), means.end());
  TestResult& result = scores.result;
  result.token_hash = info.token_hash;
  result.windows = windows;
  result.tokens = windows * n_ctx;
  result.loss_nats = all.mean;
  result.standard_error_nats = all.standard_error;
  result.split_tokens = info.n_tokens;
  if (info.text_bytes > 0) result.text_bytes = info.text_bytes;
  result.bits_per_byte = bits_per_byte(result);
  result.top1_accuracy = correct.to(at::kDouble).mean().item<double>();
  for (const auto& [first, last] : position_bins(n_ctx)) {
    const at::Tensor bin = loss.narrow(1, first, last - first + 1).mean(1).contiguous();
    const MeanAndError m = mean_and_error({bin.data_ptr<double>(), means.size()});
    result.by_position.push_back({first, last, m.mean, m.standard_error});
  }
  return scores;
}

}  // namespace

std::unique_ptr<DeviceScores> make_device_scores(const Evaluator& evaluator, const TestSet& set,
                                                 int64_t tokens) {
  Windows windows = windows_of(evaluator, set, set.final_tokens);
  const int64_t chunk = std::min(windows.chunk, windows.count());
  if (tokens > 0) {
    const Windows of_curve = windows_of(evaluator, set, tokens);
    windows.starts.insert(windows.starts.end(), of_curve.starts.begin(), of_curve.starts.end());
  }
  return std::make_unique<DeviceScores>(evaluator.model, evaluator.replicas, evaluator.device,
                                        set.shard, std::move(windows.starts), chunk);
}

std::vector<double> mean_test_loss(const Evaluator& evaluator, const TestSet& set, int64_t tokens) {
  const Windows windows = windows_of(evaluator, set, tokens);
  // (R, chunks); a sum with the other ranks' zeros changes no bit.
  const at::Tensor sums = at::zeros({evaluator.replicas, windows.chunks()}, at::kDouble);
  for_each_chunk(evaluator, set, windows, [&](int64_t first, const TokenScores& scores) {
    for (int64_t r = 0; r < evaluator.replicas; ++r) {
      sums[r][first / windows.chunk] = scores.loss_nats[r].sum();
    }
    return true;
  });
  evaluator.ranks.sum(sums);
  std::vector<double> means;
  for (int64_t r = 0; r < evaluator.replicas; ++r) {
    const auto* row = sums.const_data_ptr<double>() + r * windows.chunks();
    means.push_back(std::accumulate(row, row + windows.chunks(), 0.0) /
                    static_cast<double>(windows.count() * evaluator.model.shape().n_ctx));
  }
  return means;
}

std::vector<WindowScores> score_test_set(const Evaluator& evaluator, const TestSet& set,
                                         const std::atomic<bool>& stop) {
  const Windows windows = windows_of(evaluator, set, set.final_tokens);
  const std::vector<int64_t> sizes{evaluator.replicas, windows.count(),
                                   evaluator.model.shape().n_ctx};
  const at::Tensor loss = at::zeros(sizes, at::kDouble), correct = at::zeros(sizes, at::kByte);
  const at::Tensor stopped = at::zeros({1}, at::kLong);
  for_each_chunk(evaluator, set, windows, [&](int64_t first, const TokenScores& scores) {
    const int64_t count = scores.loss_nats.size(1);
    loss.narrow(1, first, count).copy_(scores.loss_nats);
    correct.narrow(1, first, count).copy_(scores.correct);
    return !stop;
  });
  if (stop) stopped.fill_(1);
  evaluator.ranks.sum(stopped);
  if (stopped.item<int64_t>() > 0) return {};
  evaluator.ranks.sum(loss);
  evaluator.ranks.sum(correct);
  std::vector<WindowScores> scores;
  for (int64_t r = 0; r < evaluator.replicas; ++r) {
    scores.push_back(summarise(loss[r], correct[r], set.shard.info()));
  }
  return scores;
}

std::vector<std::pair<int64_t, int64_t>> position_bins(int64_t n_ctx) {
  std::vector<std::pair<int64_t, int64_t>> bins;
  for (int64_t first = 0; first < n_ctx; first = first == 0 ? 1 : 2 * first) {
    bins.emplace_back(first, std::min(n_ctx - 1, std::max<int64_t>(first, 2 * first - 1)));
  }
  return bins;
}

}  // namespace scalelaw
