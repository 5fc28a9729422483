// A pack's steps on the device: which kind of step there is, how many are taken before the host
// looks, and what they are to do.
#include <algorithm>
#include <utility>

#include "models/layers/attention_backend.h"
#include "trainer/enum_text.h"
#include "trainer/pack.h"

namespace scalelaw {
namespace {

// Between two looks of the host: a command to stop waits for so long.
constexpr double kLookSeconds = 0.25;

}  // namespace

void Pack::note_attention() const {
  if (!options_.device.is_cuda() || facts_.counts.forward_flops.attention_scores == 0) return;
  options_.note("attention by LibTorch's " +
                attention_backend(shape_, replicas() * choice_.windows,
                                  model_->execution().compute_dtype, options_.device) +
                " kernel");
}

void Pack::choose_step() {
  const StepKind asked = members_.front().config().how.step;
  StepKind taken = StepKind::kEager;
  const auto refuse = [this](const std::string& what, const std::string& reason) {
    refusals_.push_back(what + ": " + reason);
    options_.note(refusals_.back());
  };
  if (asked > StepKind::kEager || (asked == StepKind::kAuto && options_.device.is_cuda())) {
    int64_t tokens = 0;
    std::vector<double> clip_norms;
    for (const ReplicaRun& member : members_) {
      tokens = std::max(tokens, unique_train_tokens(member.config(), train_->info().n_tokens) + 1);
      clip_norms.push_back(member.config().train.optimizer.clip_norm);
    }
    const std::string reason =
        over_ranks_ ? "sums over ranks are started by the host"
                    : corpus_refusal(tokens, train_->info().token_bytes, memory_left_);
    if (!reason.empty()) {
      refuse("no step on the device, an eager one", reason);
    } else {
      device_step_ = std::make_unique<DeviceStep>(
          *model_, arena_, *optimizer_, DeviceCorpus(*train_, tokens, options_.device),
          DeviceStepOptions{inputs_.size(1), choice_.windows, std::move(clip_norms)});
      taken = StepKind::kDevice;
    }
  }
  if (device_step_ && asked != StepKind::kDevice) {
    const std::string reason = device_step_->capture();
    if (!reason.empty()) refuse("no CUDA graph, steps one by one", reason);
    if (device_step_->captured()) taken = StepKind::kGraph;
  }
  if (taken == StepKind::kGraph && members_.front().config().evaluate.noise_scale_every > 0) {
    const std::string reason = device_step_->capture_small_batch();
    if (!reason.empty()) refuse("no CUDA graph for the noise scale", reason);
  }
  options_.provenance.step = enum_text(taken);
}

StepPlan Pack::plan_of(int64_t step) const {
  StepPlan plan;
  const int64_t every = members_.front().config().evaluate.noise_scale_every;
  plan.measure_small_batch = every > 0 && (step + 1) % every == 0;
  for (std::size_t r = 0; r < members_.size(); ++r) {
    UpdateRow row;
    row.active = members_[r].training();
    if (row.active) row.learning_rate = learning_rate_of(r, step);
    plan.rows.push_back(row);
    plan.window_starts.push_back(streams_[r].window_starts(step));
  }
  return plan;
}

NoiseMoments Pack::noise_of(const StepResult& result, std::size_t r) const {
  const int64_t own = inputs_.size(1);  // windows
  const auto tokens = [&](int64_t windows) {
    return static_cast<double>(windows * options_.ranks->size() * shape_.n_ctx);
  };
  return noise_moments(result.grad_norm[r], tokens(own), result.small_batch_grad_norm[r],
                       tokens(small_batch_windows(own)));
}

int64_t Pack::steps_at_once(int64_t until) const {
  int64_t steps = std::min(until - step_, device_step_->capacity());
  for (const ReplicaRun& member : members_) {
    if (member.training()) steps = std::min(steps, member.steps() - step_);
  }
  if (seconds_a_step_ == 0) return 1;
  const double in_time = std::min(kLookSeconds / seconds_a_step_, static_cast<double>(steps));
  return std::max<int64_t>(1, static_cast<int64_t>(in_time));
}

void Pack::train_towards(int64_t step) {
  if (!device_step_) return train_one_step();
  std::vector<StepPlan> plans;
  const int64_t steps = steps_at_once(step);
  for (int64_t i = 0; i < steps; ++i) plans.push_back(plan_of(step_ + i));
  updating_ = true;
  for (const StepResult& result : device_step_->run(plans)) account(result);
  updating_ = false;
  seconds_a_step_ = device_step_->window_seconds() / static_cast<double>(steps);
  end_diverged_members();
}

}  // namespace scalelaw
