// A layer is norm, four gates that read input and hidden state (2 x 4 W^2 weights, each one
// multiply-add a token), residual.
#include "models/architecture_counts.h"

namespace scalelaw {
namespace {

ModelCounts trunk(const ModelShape& shape) {
  const int64_t layers = shape.n_layer, width = shape.d_model;
  ModelCounts counts;
  ParameterCounts& p = counts.parameters;
  p.recurrent = layers * 8 * width * width;
  p.norm = layers * width;
  // The gates' bias stays when shape.bias is off: it carries the forget gate's 1.
  p.bias = layers * 4 * width + (shape.bias ? layers * width : 0);
  counts.forward_flops.recurrent = 2 * static_cast<double>(p.recurrent);
  return counts;
}

}  // namespace

ArchitectureCounts describe_lstm() {
  return {{"d_ff_ratio", "n_head", "position"}, nullptr, trunk};
}

}  // namespace scalelaw
