// A group of ranks on Gloo, for tensors on the CPU.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <memory>

#include "trainer/parallel/rank_group.h"

namespace scalelaw {

struct GlooOptions {
  // Network interface; "": the one of this machine's name, or the loopback where `local`.
  std::string interface;
  bool local = false;  // all ranks are on this machine
  double seconds_to_answer = 1800;
};

std::shared_ptr<RankGroup> make_gloo_group(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                           int size, const GlooOptions& options);

}  // namespace scalelaw
