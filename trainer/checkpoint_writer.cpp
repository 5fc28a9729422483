#include "trainer/checkpoint_writer.h"

#include <ATen/ops/zeros.h>
#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <utility>

#include "trainer/clock.h"

namespace scalelaw {

CheckpointWriter::CheckpointWriter(const ParameterArena& arena, const AdamW& optimizer)
    : arena_(arena), optimizer_(optimizer) {
  const auto options = at::TensorOptions(at::kFloat).pinned_memory(arena.values().is_cuda());
  // Zeros and not empty: the pages are there before the first step.
  for (at::Tensor& buffer : staging_) buffer = at::zeros(arena.values().sizes(), options);
}

void CheckpointWriter::begin(std::vector<Member> members) {
  end();
  stage();
  for (Member& member : members) member.content.rows = rows_of(staging_, member.replica);
  writing_ = std::async(std::launch::async,
                        [this, members = std::move(members)] { return write(members); });
}

bool CheckpointWriter::is_done() const {
  return !in_flight() || writing_.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

void CheckpointWriter::end() {
  if (in_flight()) cpu_seconds_ = writing_.get();
}

void CheckpointWriter::stage() {
  const auto state = state_of(arena_, optimizer_);
  const auto copy = [&](bool non_blocking) {
    for (std::size_t i = 0; i < state.size(); ++i) {
      staging_[i].copy_(state[i].detach(), non_blocking);
    }
  };
  const at::Device device = arena_.values().device();
  if (device.is_cpu()) return copy(false);
  const c10::impl::VirtualGuardImpl gpu(device.type());
  const c10::Stream training = gpu.getStream(device), side = gpu.getStreamFromGlobalPool(device);
  c10::Event updated(device.type());
  copied_ = std::make_unique<c10::Event>(device.type());
  updated.record(training);
  updated.block(side);
  {
    const c10::StreamGuard on_side(side);
    copy(true);
  }
  copied_->record(side);
  copied_->block(training);
}

double CheckpointWriter::write(const std::vector<Member>& members) const {
  const double start = thread_cpu_seconds();
  if (copied_) copied_->synchronize();
  CheckpointRound round;
  for (const Member& member : members) round.write(member.content, arena_.specs());
  round.end();
  return thread_cpu_seconds() - start;
}

}  // namespace scalelaw
