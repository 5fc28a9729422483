// A group of ranks with a GPU each: NCCL, called directly, for tensors on the GPU, another group
// for those on the CPU.
//
// NCCL's kernels of a rank that is lost wait for ever. So the ranks sum a word on the CPU once a
// second, in a thread of its own: a process that ends breaks that sum at once, NCCL's work is then
// aborted and check() throws.
#pragma once

#include <c10/core/Device.h>

#include <memory>

#include "trainer/parallel/rank_group.h"

namespace scalelaw {

// `cpu` and `watch` are two groups of the same ranks. std::runtime_error where NCCL is missing or
// refuses.
std::shared_ptr<RankGroup> make_nccl_group(std::shared_ptr<RankGroup> cpu,
                                           const std::shared_ptr<RankGroup>& watch,
                                           at::Device device);

}  // namespace scalelaw
