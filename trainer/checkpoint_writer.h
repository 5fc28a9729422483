// Checkpoints written beside training, which waits for a copy of the arena and the moments alone.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <vector>

#include "trainer/checkpoint.h"

namespace scalelaw {

class CheckpointWriter {
 public:
  // What is to be written of one row. Its lines' file outlives the writing.
  struct Member {
    CheckpointContent content;  // but for its rows
    int64_t replica = 0;
  };

  // Takes its memory now, as much as arena and moments: 12 bytes a parameter and replica of the
  // CPU's memory, pinned where they are on a GPU. Both outlive it.
  CheckpointWriter(const ParameterArena& arena, const AdamW& optimizer);

  // Waits for what is in flight, and throws its faults as end() does; then copies, and leaves the
  // rest to a thread: it syncs each member's lines, writes and syncs the file, renames it, and in
  // the end deletes older ones. On a GPU the copies are on a stream of their own, and the next
  // update waits for them there.
  void begin(std::vector<Member> members);
  bool in_flight() const { return writing_.valid(); }
  bool is_done() const;  // or nothing is in flight
  // Waits for what is in flight; DiskFull or std::runtime_error of the writing.
  void end();
  double cpu_seconds() const { return cpu_seconds_; }  // of the last writing that ended well

 private:
  void stage();
  // Returns its CPU seconds.
  double write(const std::vector<Member>& members) const;

  const ParameterArena& arena_;
  const AdamW& optimizer_;
  std::array<at::Tensor, 3> staging_;   // (R, P) on the CPU
  std::unique_ptr<c10::Event> copied_;  // on a GPU
  double cpu_seconds_ = 0;
  std::future<double> writing_;  // ends before what it reads
};

}  // namespace scalelaw
