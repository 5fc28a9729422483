#include "trainer/device_step.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "models/kernels/device_arguments.h"
#include "trainer/clock.h"

namespace scalelaw {

DeviceStep::DeviceStep(const LanguageModel& model, ParameterArena& arena, AdamW& optimizer,
                       DeviceCorpus corpus, DeviceStepOptions options)
    : model_(model),
      arena_(arena),
      optimizer_(optimizer),
      corpus_(std::move(corpus)),
      options_(std::move(options)) {
  const at::Device device = arena.values().device();
  const int64_t replicas = arena.replicas(), capacity = options_.capacity;
  TORCH_CHECK(corpus_.device() == device, "a corpus on ", corpus_.device(), ", an arena on ",
              device);
  TORCH_CHECK(static_cast<int64_t>(options_.clip_norms.size()) == replicas, "clip norms of ",
              options_.clip_norms.size(), " replicas, the arena has ", replicas);
  TORCH_CHECK(capacity > kWarmUpSteps, "a window of ", capacity, " steps holds no warm-up");
  const auto on = [&](at::ScalarType type) { return at::TensorOptions(type).device(device); };
  starts_ = at::zeros({capacity, replicas, options_.batch_windows}, on(at::kLong));
  tables_ = at::zeros({capacity, replicas, kAdamWColumns}, on(at::kFloat));
  results_ = at::zeros({capacity, 3, replicas}, on(at::kFloat));
  counter_ = at::zeros({1}, on(at::kLong));
  active_ = at::zeros({replicas}, on(at::kBool));
  std::vector<double> clip_norms = options_.clip_norms;
  for (double& norm : clip_norms) {
    if (norm <= 0) norm = std::numeric_limits<double>::infinity();
  }
  clip_norms_ = at::tensor(clip_norms, at::kDouble).to(device);
}

std::string DeviceStep::capture() {
  active_.zero_();
  counter_.zero_();
  starts_.zero_();
  Capture capture = capture_steps([this] { step(); }, arena_.values().device());
  graph_ = std::move(capture.graph);
  return capture.refusal;
}

std::string DeviceStep::capture_small_batch() {
  counter_.zero_();
  starts_.zero_();
  Capture capture = capture_steps([this] { measure_small_batch(); }, arena_.values().device(),
                                  /*unrolled=*/1);
  small_batch_graph_ = std::move(capture.graph);
  return capture.refusal;
}

std::vector<StepResult> DeviceStep::run(const std::vector<StepPlan>& plans) {
  const double start = monotonic_seconds();
  upload(plans);
  const double uploaded = monotonic_seconds();
  start_steps(plans);
  launch_seconds_ = monotonic_seconds() - uploaded;
  std::vector<StepResult> results = read_back(plans);
  window_seconds_ = monotonic_seconds() - start;
  return results;
}

// A small batch's norms are enqueued before the step that they belong to.
void DeviceStep::start_steps(const std::vector<StepPlan>& plans) {
  for (auto from = plans.begin(); from != plans.end();) {
    if (from->measure_small_batch && small_batch_graph_) {
      small_batch_graph_->replay(1);
    } else if (from->measure_small_batch) {
      measure_small_batch();
    }
    const auto to = std::find_if(from + 1, plans.end(),
                                 [](const StepPlan& plan) { return plan.measure_small_batch; });
    if (graph_) {
      graph_->replay(to - from);
    } else {
      for (auto i = from; i != to; ++i) step();
    }
    from = to;
  }
}

void DeviceStep::upload(const std::vector<StepPlan>& plans) {
  const auto steps = static_cast<int64_t>(plans.size());
  TORCH_CHECK(steps >= 1 && steps <= options_.capacity, steps, " steps in a window of ",
              options_.capacity);
  std::vector<int64_t> starts;
  std::vector<at::Tensor> tables;
  for (const StepPlan& plan : plans) {
    for (const auto& of_replica : plan.window_starts) {
      starts.insert(starts.end(), of_replica.begin(), of_replica.end());
    }
    tables.push_back(optimizer_.table(plan.rows, static_cast<int64_t>(tables.size())));
  }
  starts_.narrow(0, 0, steps)
      .copy_(
          at::tensor(starts, at::kLong).view({steps, arena_.replicas(), options_.batch_windows}));
  const at::Tensor table = at::stack(tables);  // (n, R, 8)
  tables_.narrow(0, 0, steps).copy_(table);
  active_.copy_(table.select(0, 0).select(1, 7).ne(0));
  counter_.zero_();
}

void DeviceStep::step() {
  const at::Tensor starts = starts_.index_select(0, counter_).squeeze(0);  // (R, B)
  const Batch batch = corpus_.gather(starts, model_.shape().n_ctx);
  arena_.zero_gradients();
  const at::Tensor loss =
      accumulate_gradients(model_, batch.inputs, batch.targets, options_.micro_batch_windows);
  const at::Tensor norms = gradient_norms(arena_);
  const at::Tensor numbers = at::stack({loss, norms});  // (2, R)
  active_.logical_and_(at::isfinite(numbers).all(0));
  // In float64, as train_step() on the host.
  const at::Tensor scale = (clip_norms_ / (norms.to(at::kDouble) + 1e-6)).clamp_max(1.0);
  const at::Tensor table = tables_.index_select(0, counter_).squeeze(0);  // (R, 8)
  table.select(1, 3).copy_(scale);
  table.select(1, 7).copy_(active_);
  optimizer_.apply(table);
  results_.narrow(1, 0, 2).index_copy_(0, counter_, numbers.unsqueeze(0));
  counter_.add_(1);
}

void DeviceStep::measure_small_batch() {
  const at::Tensor starts = starts_.index_select(0, counter_).squeeze(0);  // (R, B)
  const Batch batch = corpus_.gather(small_batch_of(starts), model_.shape().n_ctx);
  const at::Tensor norms =
      small_batch_norms(model_, arena_, batch.inputs, batch.targets, options_.micro_batch_windows);
  results_.select(1, 2).index_copy_(0, counter_, norms.unsqueeze(0));
}

std::vector<StepResult> DeviceStep::read_back(const std::vector<StepPlan>& plans) {
  const auto steps = static_cast<int64_t>(plans.size());
  const auto replicas = static_cast<std::size_t>(arena_.replicas());
  const at::Tensor host = results_.narrow(0, 0, steps).to(at::kCPU, at::kDouble);
  // A graph into which a number of the host were frozen would not have counted.
  const auto done = counter_.item<int64_t>();
  TORCH_CHECK(done == steps, "the device did ", done, " steps of ", steps);
  const double* numbers = host.const_data_ptr<double>();
  std::vector<StepResult> results;
  std::vector<bool> active;
  for (const UpdateRow& row : plans.front().rows) active.push_back(row.active);
  for (const StepPlan& plan : plans) {
    StepResult result{
        {numbers, numbers + replicas}, {numbers + replicas, numbers + 2 * replicas}, {}};
    for (std::size_t r = 0; r < replicas; ++r) {
      active[r] =
          active[r] && std::isfinite(result.loss_nats[r]) && std::isfinite(result.grad_norm[r]);
      const auto replica = static_cast<int64_t>(r);
      if (active[r]) optimizer_.set_updates_done(replica, optimizer_.updates_done(replica) + 1);
    }
    result.updated = active;
    if (plan.measure_small_batch) {
      result.small_batch_grad_norm.assign(numbers + 2 * replicas, numbers + 3 * replicas);
    }
    results.push_back(std::move(result));
    numbers += 3 * replicas;
  }
  return results;
}

}  // namespace scalelaw
