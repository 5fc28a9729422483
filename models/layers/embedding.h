// Rows of a table, one table a replica.
#pragma once

#include <ATen/core/Tensor.h>

#include "models/execution.h"
#include "models/parameter_arena.h"

namespace scalelaw {

// tokens (R, M) int64 in [0, V), table [R, V, W] -> (R, M, W) in the table's dtype. Backward adds
// to the table's gradient where it lies, in token order, so that it repeats bit for bit.
at::Tensor embed(const at::Tensor& tokens, const Parameter& table, const Execution& execution);

// x (R, B, T, W) plus the first T rows of table [R, n_ctx, W] in every window. No plain operator,
// because autograd warns when it accumulates into a view with gaps between replicas.
at::Tensor add_positions(const at::Tensor& x, const Parameter& table, const Execution& execution);

namespace plain {
at::Tensor add_positions(const at::Tensor& x, const at::Tensor& table);
at::Tensor embed(const at::Tensor& tokens, const at::Tensor& table);
}  // namespace plain

}  // namespace scalelaw
