// Activation recomputation (Chen et al. 2016): a block's forward pass keeps its inputs alone; its
// backward pass runs the block again, then through it. A third more time, a fraction of the memory.
#pragma once

#include <functional>

#include "models/execution.h"
#include "models/layers/residual_norm.h"

namespace scalelaw {

using BlockFunction = std::function<ResidualStream(const ResidualStream&)>;

// block(stream), with gradients as if it were that; recomputed where execution.recompute_blocks
// says so. The block is called twice, the second time in backward, so what it refers to must live
// until then, and it must do the same both times: no random numbers, nothing written but what it
// makes itself. Its parameters' gradients are added once, in the order in which they would be
// without recomputation, to the same bits. Backward once, as the layers'.
ResidualStream through_block(const BlockFunction& block, const ResidualStream& stream,
                             const Execution& execution);

}  // namespace scalelaw
