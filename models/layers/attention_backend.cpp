#include "models/layers/attention_backend.h"

#include <ATen/SDPBackend.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/empty.h>

namespace scalelaw {

std::string attention_backend(const ModelShape& shape, int64_t n_windows, at::ScalarType dtype,
                              at::Device device) {
  const auto options = at::TensorOptions(dtype).device(device);
  // As the layer's product leaves them: all heads' queries of a token, then its keys, then values.
  const auto operand = [&] {
    return at::empty({n_windows, shape.n_ctx, shape.n_head, shape.d_head()}, options)
        .requires_grad_(true)
        .transpose(1, 2);
  };
  const int64_t choice = at::_fused_sdp_choice(operand(), operand(), operand(), {}, 0.0,
                                               /*is_causal=*/true);
  switch (static_cast<at::SDPBackend>(choice)) {
    case at::SDPBackend::flash_attention:
      return "flash";
    case at::SDPBackend::cudnn_attention:
      return "cudnn";
    case at::SDPBackend::efficient_attention:
      return "efficient";
    case at::SDPBackend::math:
      return "math";
    default:
      return "unknown (" + std::to_string(choice) + ")";
  }
}

}  // namespace scalelaw
