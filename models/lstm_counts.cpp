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

// Of models/lstm.cpp's block: the state is float32 on every device.
TrunkMemory trunk_memory(const ModelShape& shape, const StepSetup& setup) {
  const auto width = static_cast<double>(shape.d_model);
  const double product = setup.product_bytes(), moments = 2 * 4;
  TrunkMemory memory;
  // The stream, what the product reads, four gates, cell and hidden state.
  const bool is_gpu = setup.device == DeviceKind::kGpu;
  memory.kept_a_block = 4 * width + moments + product * width + 4 * 6 * width;
  // The hidden state again, as the product reads it.
  if (is_gpu && setup.gpu_kernels && setup.bf16_products) memory.kept_a_block += product * width;
  memory.block_inputs = 2 * 4 * width;
  // Of the stream and of the layer's input; in bf16 of the gates too.
  memory.in_flight = 4 * 2 * width + (setup.bf16_products ? product * 5 * width : 0);
  // A CPU's recurrence reads float32; so does a GPU's of narrow layers, for which this is too much.
  memory.copied_weights_a_block = (is_gpu ? 2 : 1) * 4 * width * width;
  return memory;
}

}  // namespace

ArchitectureCounts describe_lstm() {
  return {{"d_ff_ratio", "n_head", "position"}, nullptr, trunk, trunk_memory};
}

}  // namespace scalelaw
