#include "trainer/parallel/gradient_mean.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <utility>

namespace scalelaw {

GradientMean::GradientMean(RankGroup& group, const ParameterArena& arena,
                           const GradientMeanOptions& options)
    : group_(group),
      arena_(arena),
      options_(options),
      bucket_of_(arena.specs().size()),
      writes_expected_(arena.specs().size(), 0),
      as_last_written_(arena.specs().size()) {
  TORCH_CHECK(arena.replicas() == 1, "ranks share one replica, the arena has ", arena.replicas());
  const auto& specs = arena.specs();
  int64_t end = arena.row_length();
  for (std::size_t last = specs.size(); last > 0;) {
    std::size_t first = last - 1;
    while (first > 0 && end - specs[first].offset < options.bucket_elements) --first;
    for (std::size_t i = first; i < last; ++i) bucket_of_[i] = buckets_.size();
    Bucket bucket;
    bucket.first = first;
    bucket.last = last;
    bucket.columns =
        arena.gradients().select(0, 0).narrow(0, specs[first].offset, end - specs[first].offset);
    buckets_.push_back(std::move(bucket));
    end = specs[first].offset;
    last = first;
  }
}

GradientMean::~GradientMean() {
  gradient_listener = nullptr;
}

at::Tensor GradientMean::columns_of(std::size_t parameter) const {
  const ParameterSpec& spec = arena_.specs()[parameter];
  return arena_.gradients().select(0, 0).narrow(0, spec.offset, spec.numel);
}

void GradientMean::begin_last_backward() {
  next_ = 0;
  writes_to_come_ = writes_expected_;
  for (Bucket& bucket : buckets_) {
    bucket.unwritten = bucket.last - bucket.first;
    bucket.sum.reset();
  }
  if (options_.overlaps) gradient_listener = this;
}

// Two numbers that an unnoticed addition changes; a copy would double the gradients' memory.
at::Tensor GradientMean::fingerprint(const at::Tensor& gradient) {
  return at::stack({gradient.sum(at::kDouble), gradient.square().sum(at::kDouble)});
}

void GradientMean::gradient_written(const at::Tensor& gradient) {
  const at::Tensor& all = arena_.gradients();
  if (!gradient.is_alias_of(all)) return;
  const auto& specs = arena_.specs();
  const auto after = std::upper_bound(
      specs.begin(), specs.end(), gradient.storage_offset() - all.storage_offset(),
      [](int64_t column, const ParameterSpec& spec) { return column < spec.offset; });
  const auto parameter = static_cast<std::size_t>(after - specs.begin() - 1);
  if (phase_ == Phase::kLearning) {
    learn_write(parameter, columns_of(parameter));
  } else if (--writes_to_come_[parameter] == 0) {
    --buckets_[bucket_of_[parameter]].unwritten;
    send_ready();
  }
}

void GradientMean::learn_write(std::size_t parameter, const at::Tensor& gradient) {
  ++writes_expected_[parameter];
  as_last_written_[parameter] = fingerprint(gradient);
}

void GradientMean::end_learning() {
  for (std::size_t i = 0; i < writes_expected_.size(); ++i) {
    const at::Tensor& then = as_last_written_[i];
    // NaN, which is not equal to itself, only puts the bucket off to the end of backward.
    if (!then.defined() || !at::equal(then, fingerprint(columns_of(i)))) writes_expected_[i] = 0;
  }
  as_last_written_.clear();
  phase_ = Phase::kKnown;
}

void GradientMean::send_ready() {
  while (next_ < buckets_.size() && buckets_[next_].unwritten == 0) {
    buckets_[next_].sum = group_.start_sum(buckets_[next_].columns);
    ++next_;
  }
}

void GradientMean::finish(const at::Tensor& loss) {
  const at::NoGradGuard no_grad;
  gradient_listener = nullptr;
  if (options_.overlaps && phase_ == Phase::kLearning) end_learning();
  sent_early_ = next_;
  for (Bucket& bucket : buckets_) bucket.unwritten = 0;
  send_ready();
  const auto loss_sum = group_.start_sum(loss);
  for (Bucket& bucket : buckets_) {
    bucket.sum->wait();
    bucket.sum.reset();
  }
  loss_sum->wait();
}

}  // namespace scalelaw
